import ByteCoding
import EpisodicMemory
import LMDB

/// The database `meta`: whose tier it is, and where it stands.
///
/// Keys are integers, values sealed records:
///
/// | key | record | content |
/// | --- | --- | --- |
/// | 0 | identity | format UInt32, epoch UInt64, store text |
/// | 1 | position | revision Int64, nonce Int64, stamp 8 UInt64; absent before the first catch-up |
/// | 2 | tallies | of a cache, see `Tallies` |
/// | 3 | progress | of an index, see `IndexPosition` |
struct MetaTable: Sendable {
  private enum Key {
    static let identity: UInt64 = 0
    static let position: UInt64 = 1
    static let tallies: UInt64 = 2
  }

  struct Identity: Equatable {
    let format: UInt32
    /// A random number for the life of the files; what is sealed here is worth nothing in another life.
    let epoch: UInt64
    let store: StoreIdentity
  }

  let database: Database

  /// `nil` in files that were just made.
  func identity(in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) -> Identity? {
    guard let record = try transaction.get(Key.identity, in: database) else { return nil }
    return try Seal(key: Key.identity, generation: 0).decode(record, "identity") { reader throws(MalformedBytes) in
      Identity(
        format: try reader.integer(), epoch: try reader.integer(), store: StoreIdentity(rawValue: try reader.text()))
    }
  }

  func put(_ identity: Identity, in transaction: inout WriteTransaction) throws(LMDBError) {
    var content = ByteWriter(capacity: 64)
    content.write(identity.format)
    content.write(identity.epoch)
    content.write(identity.store.rawValue)
    try put(content, Key.identity, epoch: 0, in: &transaction)
  }

  /// How far the primary's history is known, and at which moment that was all of it.
  struct Position: Equatable {
    let watermark: Watermark
    /// `nil` where there is more to be caught up with.
    let stamp: CommitStamp?

    fileprivate static let byteCount = 88
    fileprivate static let stampOffset = 16
  }

  func position(
    epoch: UInt64, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Position? {
    guard let record = try transaction.get(Key.position, in: database) else { return nil }
    return try Seal(key: Key.position, generation: epoch).decode(record, "position") { reader throws(MalformedBytes) in
      let watermark = Watermark(revision: try reader.integer(), nonce: try reader.integer())
      var words = InlineArray<8, UInt64>(repeating: 0)
      for index in words.indices { words[index] = try reader.integer() }
      let stamp = CommitStamp(words)
      return Position(watermark: watermark, stamp: stamp == Self.noStamp ? nil : stamp)
    }
  }

  private static let noStamp = CommitStamp(InlineArray(repeating: 0))

  func watermark(
    epoch: UInt64, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Watermark? {
    try position(epoch: epoch, in: transaction)?.watermark
  }

  /// Whether the position is known and complete as of `stamp`: what `position` would say, in a tenth of the time.
  ///
  /// - Throws: `.damaged` where it would be, if the seal is broken.
  func stands(
    at stamp: CommitStamp, epoch: UInt64, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Bool {
    guard let record = try transaction.get(Key.position, in: database) else { return false }
    do throws(MalformedBytes) {
      guard record.byteCount == Position.byteCount else { throw MalformedBytes() }
      let differences = record.withUnsafeBytes { bytes in
        var differences: UInt64 = 0
        for index in 0..<8 { differences |= bytes.integer(at: Position.stampOffset + 8 * index) ^ stamp.words[index] }
        return differences
      }
      guard differences == 0 else { return false }
      _ = try Seal(key: Key.position, generation: epoch).open(record)
      return true
    } catch {
      throw LMDBError(.damaged, message: "the position is damaged")
    }
  }

  func put(_ position: Position, epoch: UInt64, in transaction: inout WriteTransaction) throws(LMDBError) {
    var content = ByteWriter(capacity: 96)
    content.write(position.watermark.revision)
    content.write(position.watermark.nonce)
    let words = (position.stamp ?? Self.noStamp).words
    for index in words.indices { content.write(words[index]) }
    try put(content, Key.position, epoch: epoch, in: &transaction)
  }

  func removePosition(in transaction: inout WriteTransaction) throws(LMDBError) {
    try transaction.delete(Key.position, in: database)
  }

  func tallies(epoch: UInt64, in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) -> Tallies {
    guard let record = try transaction.get(Key.tallies, in: database) else { return Tallies() }
    return try Seal(key: Key.tallies, generation: epoch).decode(record, "tallies") { reader throws(MalformedBytes) in
      try Tallies(from: &reader)
    }
  }

  func put(_ tallies: Tallies, epoch: UInt64, in transaction: inout WriteTransaction) throws(LMDBError) {
    var content = ByteWriter(capacity: 256)
    tallies.encode(to: &content)
    try put(content, Key.tallies, epoch: epoch, in: &transaction)
  }

  private func put(
    _ content: ByteWriter, _ key: UInt64, epoch: UInt64, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    try transaction.put(Seal(key: key, generation: epoch).sealed(content.bytes).span.bytes, for: key, in: database)
  }
}
