import ByteCoding
package import GRDB

/// One step of a schema's history; once released it never changes, and its checksum holds it to that.
package struct Migration: Sendable {
  package let version: Int
  package let description: String
  package let sql: String
  /// SQL functions that the text calls.
  private let functions: [DatabaseFunction]

  /// - Parameter name: `NNN_what_it_does`, as the file is named.
  package init?(name: String, sql: [UInt8], functions: [DatabaseFunction] = []) {
    let parts = name.split(separator: "_", maxSplits: 1)
    guard parts.count == 2, let version = Int(parts[0]), version > 0 else { return nil }
    self.version = version
    description = String(parts[1]).replacing("_", with: " ")
    self.sql = String(decoding: sql, as: UTF8.self)
    self.functions = functions
  }

  /// Executes the text, in the transaction of the caller. The connection keeps the functions.
  package func run(_ db: Database) throws {
    for function in functions { db.add(function: function) }
    try db.execute(sql: sql)
  }

  /// SHA-256 of the text, as 64 hexadecimal digits.
  package var checksum: String { SHA256.digest(of: sql).hexadecimal }
}
