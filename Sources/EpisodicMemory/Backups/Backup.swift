/// A backup of a store: one file with everything that is in the primary, and beside it a manifest.
public struct Backup: Codable, Hashable, Sendable {
  /// Why there is a copy of the store.
  public enum Kind: String, CaseIterable, Codable, Sendable {
    /// It was asked for: `memory-20260131T120000Z.sqlite`, or a file of any other name.
    case backup
    /// What a restore replaced: `replaced-20260131T120000Z.sqlite`.
    case replaced
    /// As it was before a newer version migrated it: `before-schema-011-20260131T120000Z.sqlite`.
    case beforeMigration = "before_migration"
  }

  /// How the file of a backup is compressed.
  public enum Compression: String, CaseIterable, Codable, Sendable {
    /// A SQLite database.
    case none
    /// A SQLite database inside a gzip file: a third of the size, for the price of the time.
    case gzip
  }

  /// The path of the file.
  public let path: String
  /// Why it was made, by its name.
  public let kind: Kind
  /// The moment of the store that it holds: by the manifest, by the name, or by the time of the file.
  public let createdAt: Timestamp
  /// Bytes of the file.
  public let fileBytes: Int64
  /// What it holds; `nil` if there is no manifest beside it that can be read.
  public let manifest: BackupManifest?

  /// A backup as it is found; for doubles in tests.
  public init(path: String, kind: Kind, createdAt: Timestamp, fileBytes: Int64, manifest: BackupManifest?) {
    self.path = path
    self.kind = kind
    self.createdAt = createdAt
    self.fileBytes = fileBytes
    self.manifest = manifest
  }

  private enum CodingKeys: String, CodingKey {
    case path, kind, manifest
    case createdAt = "created_at"
    case fileBytes = "file_bytes"
  }
}

/// What a backup held when it was verified: the file `NAME.json` beside it.
public struct BackupManifest: Codable, Hashable, Sendable {
  /// Of this form; 1.
  public var format = 1
  /// The moment of the store that the backup holds.
  public let createdAt: Timestamp
  /// Identifies the store that it is of.
  public let store: String
  /// Number of the last migration.
  public let schemaVersion: Int
  /// The last change of the feed.
  public let revision: Int64
  /// How the file is compressed.
  public let compression: Backup.Compression
  /// Bytes of the database, decompressed.
  public let bytes: Int64
  /// Bytes of the file.
  public let fileBytes: Int64
  /// SHA-256 of the file, in hexadecimal, as `sha256sum` prints it.
  public let sha256: String
  /// Rows by table.
  public let rows: [String: Int]
  /// What a check of the store would have found: rows without an owner, full text that differs from its table.
  public let faults: [String]

  package init(
    createdAt: Timestamp, store: String, schemaVersion: Int, revision: Int64, compression: Backup.Compression,
    bytes: Int64, fileBytes: Int64, sha256: String, rows: [String: Int], faults: [String]
  ) {
    self.createdAt = createdAt
    self.store = store
    self.schemaVersion = schemaVersion
    self.revision = revision
    self.compression = compression
    self.bytes = bytes
    self.fileBytes = fileBytes
    self.sha256 = sha256
    self.rows = rows
    self.faults = faults
  }

  private enum CodingKeys: String, CodingKey {
    case format, store, revision, compression, bytes, sha256, rows, faults
    case createdAt = "created_at"
    case schemaVersion = "schema_version"
    case fileBytes = "file_bytes"
  }
}
