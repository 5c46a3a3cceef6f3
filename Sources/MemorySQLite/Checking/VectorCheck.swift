import EpisodicMemory
import Foundation
import GRDB
import SQLiteStorage
import Vectors

/// Whether every vector can be compared.
enum VectorCheck {
  static func run(_ db: Database) throws -> Check {
    var rows = try RawStatement("SELECT id, embedding, dimensions FROM embeddings ORDER BY seq", db)
    while try rows.step() {
      do throws(VectorError) {
        _ = try Vector(littleEndianFloat32: rows.bytes(1).bytes, dimensions: Int(clamping: rows.integer(2)))
      } catch {
        return Check(
          "vectors", .failed("embedding \"\(rows.text(0))\": \(error); no recall finds it: embed it again"))
      }
    }
    return Check("vectors", .passed)
  }
}
