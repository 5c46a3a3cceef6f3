import CYardstickLMDB
import Foundation

/// Entries in an LMDB environment, read without a layer between: the floor of a cache hit.
final class PlainLMDB {
  private let environment: OpaquePointer
  private var table: MDB_dbi = 0

  /// Creates an environment of at most `capacity` bytes.
  init(path: String, capacity: Int) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    var created: OpaquePointer?
    try Self.check(mdb_env_create(&created), "making")
    guard let created else { throw BenchError("LMDB makes no environment") }
    environment = created
    try Self.check(mdb_env_set_mapsize(created, capacity), "sizing")
    try Self.check(mdb_env_open(created, path, UInt32(MDB_NOTLS | MDB_NOSYNC), 0o600), "opening")
    try write { transaction in
      try Self.check(mdb_dbi_open(transaction, nil, 0, &table), "opening the table")
    }
  }

  deinit { mdb_env_close(environment) }

  /// Writes all in one transaction.
  func insert(_ entries: [(key: UInt64, bytes: [UInt8])]) throws {
    try write { transaction in
      for (key, bytes) in entries {
        var bytes = bytes
        try Self.withValue(key) { key in
          try bytes.withUnsafeMutableBytes { bytes in
            var value = MDB_val(mv_size: bytes.count, mv_data: bytes.baseAddress)
            try Self.check(mdb_put(transaction, table, &key, &value, UInt32(MDB_NOOVERWRITE)), "inserting")
          }
        }
      }
    }
  }

  /// A copy of an entry, which the caller frees.
  ///
  /// Not inlined, so that the unused copy is not optimised away.
  @inline(never)
  func copy(_ key: UInt64) throws -> UnsafeMutableRawPointer {
    try withEntry(key) { entry in
      guard let source = entry.baseAddress, let copy = malloc(entry.count) else { throw BenchError("no memory left") }
      return memcpy(copy, source, entry.count)
    }
  }

  /// Lends an entry in the map.
  func withEntry<Result>(_ key: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
    var transaction: OpaquePointer?
    try Self.check(mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &transaction), "beginning")
    defer { mdb_txn_abort(transaction) }
    return try Self.withValue(key) { key in
      var value = MDB_val()
      try Self.check(mdb_get(transaction, table, &key, &value), "looking up")
      return try body(UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
    }
  }

  private func write(_ body: (OpaquePointer) throws -> Void) throws {
    var transaction: OpaquePointer?
    try Self.check(mdb_txn_begin(environment, nil, 0, &transaction), "beginning")
    guard let transaction else { throw BenchError("LMDB begins no transaction") }
    do {
      try body(transaction)
    } catch {
      mdb_txn_abort(transaction)
      throw error
    }
    try Self.check(mdb_txn_commit(transaction), "committing")
  }

  private static func withValue<Result>(_ key: UInt64, _ body: (inout MDB_val) throws -> Result) throws -> Result {
    var key = key
    return try withUnsafeMutableBytes(of: &key) { bytes in
      var value = MDB_val(mv_size: bytes.count, mv_data: bytes.baseAddress)
      return try body(&value)
    }
  }

  private static func check(_ code: Int32, _ doing: String) throws {
    guard code == MDB_SUCCESS else { throw BenchError("LMDB, \(doing): \(String(cString: mdb_strerror(code)))") }
  }
}
