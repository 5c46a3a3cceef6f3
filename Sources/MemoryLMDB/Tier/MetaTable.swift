import ByteCoding
import EpisodicMemory
import LMDB

/// The database `meta` of a tier: sealed records under integer keys.
///
/// | key | record | content |
/// | --- | --- | --- |
/// | 0 | identity | format UInt32, generation UInt64, store text |
/// | 1 | position of a cache | see `CachePosition` |
/// | 2 | counters of a cache | see `PersistedCounters` |
/// | 3 | progress of an index | see `IndexPosition` |
struct MetaTable: Sendable {
  struct Identity: Equatable {
    let format: UInt32
    /// Drawn at random when the files are created. It seeds every checksum, so that bytes of earlier files are refused.
    let generation: UInt64
    let store: StoreIdentity
  }

  let database: Database
  let generation: UInt64

  func seal(_ key: UInt64) -> Seal { Seal(key: key, generation: generation) }

  /// Verifies a record and decodes it with `read`, which must consume all of it.
  ///
  /// - Parameter what: The record's name in the error.
  /// - Returns: `nil` if there is none.
  /// - Throws: `.damaged` if it is not intact.
  func decode<Value>(
    _ key: UInt64, _ what: StaticString, in transaction: borrowing some Transaction & ~Copyable,
    _ read: (inout ByteReader) throws(MalformedBytes) -> Value
  ) throws(LMDBError) -> Value? {
    guard let record = try transaction.get(key, in: database) else { return nil }
    return try seal(key).decode(record, what, read)
  }

  func put(_ content: ByteWriter, _ key: UInt64, in transaction: inout WriteTransaction) throws(LMDBError) {
    try transaction.put(seal(key).sealed(content.bytes).span.bytes, for: key, in: database)
  }

  static func damaged(_ what: StaticString) -> LMDBError {
    LMDBError(.damaged, message: "the record of the \(what) is damaged")
  }
}

extension MetaTable.Identity {
  private static let key: UInt64 = 0

  /// - Returns: `nil` if the files are new.
  init?(of database: Database, in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) {
    let identity = try MetaTable(database: database, generation: 0).decode(Self.key, "identity", in: transaction) {
      reader throws(MalformedBytes) in
      Self(
        format: try reader.integer(), generation: try reader.integer(),
        store: StoreIdentity(rawValue: try reader.text()))
    }
    guard let identity else { return nil }
    self = identity
  }

  func put(in database: Database, _ transaction: inout WriteTransaction) throws(LMDBError) {
    var content = ByteWriter(capacity: 64)
    content.write(format)
    content.write(generation)
    content.write(store.rawValue)
    try MetaTable(database: database, generation: 0).put(content, Self.key, in: &transaction)
  }
}

/// What is in a tier.
struct TierLayout: Sendable {
  /// Counts up when the layout of anything in the tier changes; files of another format are removed.
  let format: UInt32
  /// Besides `meta`, which every tier has.
  let databases: [(name: String, keys: Database.KeyKind)]

  /// Whether a name in a tier's directory is that of another tier: the index in the cache's, or one of a PID namespace of
  /// its own, see `LMDBTier+Apart`.
  static func isSubdirectory(_ name: String) -> Bool { name == "index" || name.hasPrefix(LMDBTier.apartPrefix) }
}
