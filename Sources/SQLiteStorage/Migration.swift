import ByteCoding

/// One step of a schema's history; once released it never changes, and its checksum holds it to that.
package struct Migration: Sendable {
  package let version: Int
  package let description: String
  package let sql: String

  /// - Parameter name: `NNN_what_it_does`, as the file is named.
  package init?(name: String, sql: [UInt8]) {
    let parts = name.split(separator: "_", maxSplits: 1)
    guard parts.count == 2, let version = Int(parts[0]), version > 0 else { return nil }
    self.version = version
    description = String(parts[1]).replacing("_", with: " ")
    self.sql = String(decoding: sql, as: UTF8.self)
  }

  /// SHA-256 of the text, as 64 hexadecimal digits.
  package var checksum: String { SHA256.digest(of: sql).hexadecimal }
}
