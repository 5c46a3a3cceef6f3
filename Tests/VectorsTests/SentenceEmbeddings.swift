import Foundation
import Vectors

/// Real sentence embeddings, rows of 384 little-endian float16, which lie beside a checkout or not at all.
enum SentenceEmbeddings {
  static let dimensions = 384

  static let base = file("minilm_50k_384.f16")
  static let queries = file("minilm_queries_500_384.f16")
  static let areThere = [base, queries].allSatisfy {
    FileManager.default.fileExists(atPath: $0.path(percentEncoded: false))
  }

  private static func file(_ name: String) -> URL {
    URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../shared/data/vectors/\(name)").standardized
  }

  /// The first `count` rows of a file.
  static func read(_ file: URL, count: Int) throws -> [Vector] {
    let handle = try FileHandle(forReadingFrom: file)
    defer { try? handle.close() }
    let bytes = try handle.read(upToCount: 2 * dimensions * count) ?? Data()
    return try bytes.withUnsafeBytes { bytes in
      try (0..<bytes.count / (2 * dimensions)).map { row in
        let components = [Float](unsafeUninitializedCapacity: dimensions) { components, initialised in
          for index in 0..<dimensions {
            let half = bytes.loadUnaligned(fromByteOffset: 2 * (dimensions * row + index), as: UInt16.self)
            components.initializeElement(at: index, to: float(UInt16(littleEndian: half)))
          }
          initialised = dimensions
        }
        return try Vector(components)
      }
    }
  }

  /// A finite half as a float; not every platform has `Float16`. Moved to the fields of a float, its exponent lacks the
  /// difference of the two biases.
  private static func float(_ half: UInt16) -> Float {
    let magnitude = Float(bitPattern: UInt32(half & 0x7FFF) << 13) * 0x1p112
    return half >> 15 == 1 ? -magnitude : magnitude
  }
}
