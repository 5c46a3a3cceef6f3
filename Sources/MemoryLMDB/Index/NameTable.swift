import ByteCoding
import Crypto
import EpisodicMemory
import LMDB

/// The database `names`: numbers for domains, sessions and task types.
///
/// A key is the kind and half a SHA-256 of the name, so that no name is too long and no two share a number (I8). A value is
/// the number UInt32, and a seal UInt64. Numbers count from 1 and are never given twice.
struct NameTable: Sendable {
  enum Kind: UInt8 { case domain = 1, session = 2, task = 3 }

  let database: Database
  let epoch: UInt64

  func number(
    of name: String, _ kind: Kind, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> UInt32? {
    try number(Self.key(name, kind), in: transaction)
  }

  /// The number of a name, given to it now where it has none.
  func assign(_ name: String, _ kind: Kind, in transaction: inout WriteTransaction) throws(LMDBError) -> UInt32 {
    let key = Self.key(name, kind)
    if let number = try number(key, in: transaction) { return number }
    guard let number = UInt32(exactly: try transaction.count(in: database) + 1), number < .max else {
      throw LMDBError(.invalid, message: "the index has more names than it can number")
    }
    var value = ByteWriter(capacity: 12)
    value.write(number)
    try transaction.put(seal(key).sealed(value.bytes).span.bytes, for: key.span.bytes, in: database)
    return number
  }

  private func number(
    _ key: [UInt8], in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> UInt32? {
    guard let value = try transaction.get(key.span.bytes, in: database) else { return nil }
    return try seal(key).decode(value, "a name") { reader throws(MalformedBytes) in
      try reader.integer()
    }
  }

  private func seal(_ key: [UInt8]) -> Seal { Seal(key: key.span.bytes, generation: epoch) }

  private static func key(_ name: String, _ kind: Kind) -> [UInt8] {
    [kind.rawValue] + SHA256.hash(data: Array(name.utf8)).prefix(16)
  }
}
