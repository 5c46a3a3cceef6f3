package import LMDB

extension Environment.Options {
  /// 16 MiB, unsynced: nothing in these tests outlives a power loss.
  package static var testing: Self {
    var options = Self(mapSize: 16 << 20)
    options.durability = .noSync
    // Threads of a test wait for each other; on a busy machine for long.
    options.patience = .seconds(60)
    return options
  }
}

extension Environment {
  package func put(_ value: [UInt8], for key: String, in database: Database) throws(LMDBError) {
    try write { transaction throws(LMDBError) in
      try transaction.put(value.span.bytes, for: Array(key.utf8).span.bytes, in: database)
    }
  }

  package func get(_ key: String, in database: Database) throws(LMDBError) -> [UInt8]? {
    try read { transaction throws(LMDBError) in
      try transaction.get(Array(key.utf8).span.bytes, in: database)?.array
    }
  }

  /// Every entry, in the order a cursor finds them.
  package func entries(of database: Database) throws(LMDBError) -> [[UInt8]: [UInt8]] {
    try read { transaction throws(LMDBError) in
      var entries: [[UInt8]: [UInt8]] = [:]
      var cursor = try transaction.cursor(in: database)
      while let entry = try cursor.next() { entries[entry.key.array] = entry.value.array }
      return entries
    }
  }
}

extension Transaction where Self: ~Copyable {
  /// The value of a key that has 8 bytes of number for a value.
  package func integer(at key: UInt64, in database: Database) throws(LMDBError) -> UInt64? {
    guard let value = try get(key, in: database), value.byteCount == 8 else { return nil }
    return unsafe value.unsafeLoadUnaligned(as: UInt64.self)
  }
}

extension RawSpan {
  package var array: [UInt8] { withUnsafeBytes { Array($0) } }
}

extension SeededGenerator {
  package mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }
}

extension TemporaryDirectory {
  package var dataFile: String { file("data.mdb") }
  package var lockFile: String { file("lock.mdb") }
}

/// A literal `[1]` beside `.span.bytes` would be 8 bytes of `Int`.
package func octets(_ values: UInt8...) -> [UInt8] { values }

/// The code of what `body` throws; `nil` if it throws nothing.
package func code(_ body: () throws(LMDBError) -> Void) -> LMDBError.Code? {
  do throws(LMDBError) {
    try body()
    return nil
  } catch {
    return error.code
  }
}
