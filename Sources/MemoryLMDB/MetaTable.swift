import EpisodicMemory
import LMDB

/// The database `meta`: whose tier it is, and where it stands.
///
/// Keys are integers, values sealed records:
///
/// | key | record | content |
/// | --- | --- | --- |
/// | 0 | identity | format UInt32, epoch UInt64, store text |
/// | 1 | watermark | revision Int64, nonce Int64; absent before the first catch-up |
/// | 2 | tallies | see `Tallies` |
struct MetaTable: Sendable {
  /// Counts up when any layout in this module changes; files of another format are removed.
  static let format: UInt32 = 1

  private enum Key {
    static let identity: UInt64 = 0
    static let watermark: UInt64 = 1
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
    return try SealedRecord.open(record, seed: Key.identity, "identity") { reader throws(MalformedBytes) in
      Identity(
        format: try reader.integer(), epoch: try reader.integer(), store: StoreIdentity(rawValue: try reader.text()))
    }
  }

  func put(_ identity: Identity, in transaction: inout WriteTransaction) throws(LMDBError) {
    var content = ByteWriter(capacity: 64)
    content.write(identity.format)
    content.write(identity.epoch)
    content.write(identity.store.rawValue)
    try put(content, Key.identity, seed: Key.identity, in: &transaction)
  }

  func watermark(
    epoch: UInt64, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Watermark? {
    guard let record = try transaction.get(Key.watermark, in: database) else { return nil }
    return try SealedRecord.open(record, seed: epoch ^ Key.watermark, "watermark") { reader throws(MalformedBytes) in
      Watermark(revision: try reader.integer(), nonce: try reader.integer())
    }
  }

  func put(_ watermark: Watermark, epoch: UInt64, in transaction: inout WriteTransaction) throws(LMDBError) {
    var content = ByteWriter(capacity: 32)
    content.write(watermark.revision)
    content.write(watermark.nonce)
    try put(content, Key.watermark, seed: epoch ^ Key.watermark, in: &transaction)
  }

  func removeWatermark(in transaction: inout WriteTransaction) throws(LMDBError) {
    try transaction.delete(Key.watermark, in: database)
  }

  func tallies(epoch: UInt64, in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) -> Tallies {
    guard let record = try transaction.get(Key.tallies, in: database) else { return Tallies() }
    return try SealedRecord.open(record, seed: epoch ^ Key.tallies, "tallies") { reader throws(MalformedBytes) in
      try Tallies(from: &reader)
    }
  }

  func put(_ tallies: Tallies, epoch: UInt64, in transaction: inout WriteTransaction) throws(LMDBError) {
    var content = ByteWriter(capacity: 256)
    tallies.encode(to: &content)
    try put(content, Key.tallies, seed: epoch ^ Key.tallies, in: &transaction)
  }

  private func put(
    _ content: ByteWriter, _ key: UInt64, seed: UInt64, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    try transaction.put(SealedRecord.seal(content.bytes, seed: seed).span.bytes, for: key, in: database)
  }
}
