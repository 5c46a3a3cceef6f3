import CLMDB
import Synchronization

/// A named key-value map inside an environment, sorted by key.
///
/// Cheap to copy; valid as long as its environment is open.
@usableFromInline
package struct Database: Hashable, Sendable {
  package let name: String
  package let keys: KeyKind

  /// LMDB's number for it.
  let handle: UInt32
  /// The environment it belongs to: LMDB would accept another one's number.
  let environmentSerial: UInt64

  /// How keys look and sort.
  package enum KeyKind: Hashable, Sendable {
    /// 1...511 bytes, in lexicographic order, a prefix first.
    case bytes
    /// `UInt64` in native byte order, sorted as numbers.
    case integers
  }
}

extension Environment {
  /// Opens a named database, creating it if there is none. The first call writes; later ones only look it up.
  ///
  /// Open databases before the transactions that use them: a transaction sees those that were open when it began.
  ///
  /// - Throws: `.incompatible` if it exists with other keys, `.databasesFull`, `.mapFull`; `.busy` for one that was not
  ///   open yet, inside a write transaction of this thread.
  package func database(named name: String, keys: Database.KeyKind = .bytes) throws(LMDBError) -> Database {
    if let database = databases.withLock({ $0[name] }) {
      return try checked(database, keys)
    }
    guard (1...511).contains(name.utf8.count), !name.utf8.contains(0) else {
      throw LMDBError(.invalid, message: "cannot open database \(name.debugDescription) in \(path): not a name")
    }
    // Only writers open databases, so LMDB's one writer at a time keeps two of them apart.
    let database = try write { transaction throws(LMDBError) in
      try transaction.openDatabase(named: name, keys: keys)
    }
    databases.withLock { $0[name] = database }
    return try checked(database, keys)
  }

  private func checked(_ database: Database, _ keys: Database.KeyKind) throws(LMDBError) -> Database {
    guard database.keys == keys else {
      throw LMDBError(
        .incompatible, message: "database \(database.name) in \(path) has \(database.keys) for keys, not \(keys)")
    }
    return database
  }
}

extension WriteTransaction {
  fileprivate mutating func openDatabase(
    named name: String, keys: Database.KeyKind
  ) throws(LMDBError) -> Database {
    let path = handle.environment.path
    let wanted: UInt32 = keys == .integers ? UInt32(MDB_INTEGERKEY) : 0
    var dbi: MDB_dbi = 0
    try LMDBError.check(
      mdb_dbi_open(handle.transaction, name, wanted | UInt32(MDB_CREATE), &dbi), "open database \(name)", path)
    var flags: UInt32 = 0
    try LMDBError.check(mdb_dbi_flags(handle.transaction, dbi, &flags), "examine database \(name)", path)
    // The flags in the file decide, not those of this call; wrong ones would have LMDB compare keys out of bounds.
    guard flags == wanted else {
      throw LMDBError(.incompatible, message: "database \(name) in \(path) has flags \(flags), not \(wanted)")
    }
    return Database(name: name, keys: keys, handle: dbi, environmentSerial: handle.environment.serial)
  }
}
