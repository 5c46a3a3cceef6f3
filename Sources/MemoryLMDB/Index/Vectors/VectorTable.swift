import ByteCoding
import EpisodicMemory
import LMDB

/// The database `vectors`: slabs of codes by embedding space and domain, and for each space a tail of what came last.
///
/// Keys are integers: a kind in the highest byte, then
///
/// | kind | rest of the key | value |
/// | --- | --- | --- |
/// | 1 space | number of the space | `SpaceRecord` |
/// | 2 tail | number of the space | up to 64 vectors and 256 KiB of any domain: the parts of a slab one behind the other |
/// | 3 slab | number of the slab * 4 + part | see `SlabLayout` |
/// | 4 counter | 0 | number of the next slab; none is ever given twice |
///
/// Reading — this file; changing — `VectorTable+Changing`; searching — `VectorSearch`.
struct VectorTable: Sendable {
  enum Part: UInt64, CaseIterable { case codes, rows, columns, statuses }

  let database: Database
  let epoch: UInt64
  let verified: VerifiedValues
  /// Whether nobody but its users wrote to the file; see `EpochFile`.
  let isTrusted: Bool
  /// Of the parts of slabs that were not verified yet, one in so many is, each time that they are met.
  private let turns = Turns(ofEvery: 64)

  init(database: Database, epoch: UInt64, verified: VerifiedValues, isTrusted: Bool) {
    self.database = database
    self.epoch = epoch
    self.verified = verified
    self.isTrusted = isTrusted
  }

  // MARK: Keys

  static func space(_ number: UInt64) -> UInt64 { 1 << 56 | number }
  static func tail(_ number: UInt64) -> UInt64 { 2 << 56 | number }
  static func slab(_ number: UInt64, _ part: Part) -> UInt64 { 3 << 56 | number << 2 | part.rawValue }
  static let counter: UInt64 = 4 << 56

  // MARK: Reading

  /// Every space, in the order in which they came.
  func spaces(in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) -> [SpaceRecord] {
    var spaces: [SpaceRecord] = []
    // Numbered from 1 and never removed.
    while let value = try transaction.get(Self.space(UInt64(spaces.count) + 1), in: database) {
      let number = UInt64(spaces.count) + 1
      let record = try value.withUnsafeBytes { bytes throws(LMDBError) in
        let content = try open(bytes, Self.space(number))
        do throws(MalformedBytes) {
          return try ByteReader.decode(content.bytes) { reader throws(MalformedBytes) in
            try SpaceRecord(number: number, &reader)
          }
        } catch {
          throw Self.damaged
        }
      }
      spaces.append(record)
    }
    return spaces
  }

  func space(
    _ space: EmbeddingSpace, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> SpaceRecord? {
    try spaces(in: transaction).first { $0.model == space.model && $0.dimensions == space.dimensions }
  }

  /// What is in no slab yet; `nil` where that is nothing.
  func tail(
    of space: SpaceRecord, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> SlabView? {
    let key = Self.tail(space.number)
    guard let value = try transaction.get(key, in: database) else {
      guard space.tailCount == 0 else { throw Self.damaged }
      return nil
    }
    return try value.withUnsafeBytes { bytes throws(LMDBError) in
      let content = try open(bytes, key)
      let layout = SlabLayout(dimensions: space.dimensions)
      guard let view = SlabView(layout, count: space.tailCount, contiguous: content) else { throw Self.damaged }
      return view
    }
  }

  /// A slab, where it lies: good until the transaction ends or changes something.
  func view(
    of slab: SpaceRecord.Slab, _ layout: SlabLayout, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> SlabView {
    let codes = try part(.codes, of: slab, layout.codesBytes(slab.count), in: transaction)
    let rows = try part(.rows, of: slab, slab.count * layout.rowBytes, in: transaction)
    let columns = try part(.columns, of: slab, slab.count * SlabColumns.bytesPerVector, in: transaction)
    let statuses = try part(.statuses, of: slab, slab.count, in: transaction)
    return SlabView(
      layout, count: slab.count, codes: codes, rows: rows, columns: columns, statuses: statuses, record: slab)
  }

  private func part(
    _ part: Part, of slab: SpaceRecord.Slab, _ count: Int, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> UnsafeRawPointer {
    let key = Self.slab(slab.id, part)
    guard let value = try transaction.get(key, in: database) else { throw Self.damaged }
    return try value.withUnsafeBytes { bytes throws(LMDBError) in
      // Rows vouch for themselves, one by one.
      let content = part == .rows ? bytes : try open(bytes, key, canWait: true)
      guard content.count == count, let base = content.baseAddress else { throw Self.damaged }
      return base
    }
  }

  /// The value without its seal, which is verified the first time that this process meets it.
  ///
  /// - Parameter canWait: Whether the seal of a file that nobody else wrote to may be verified some later time: all at once
  ///   would cost the first search of a process several times what it costs itself.
  func open(
    _ value: UnsafeRawBufferPointer, _ key: UInt64, canWait: Bool = false
  ) throws(LMDBError) -> UnsafeRawBufferPointer {
    guard value.count >= Seal.byteCount else { throw Self.damaged }
    let content = UnsafeRawBufferPointer(rebasing: value.dropLast(Seal.byteCount))
    if verified.contains(Seal.checksum(of: value.bytes)) { return content }
    if canWait, isTrusted, !turns.isMine() { return content }
    do throws(MalformedBytes) {
      _ = try Seal(key: key, generation: epoch).open(value.bytes, verified: verified)
      return content
    } catch {
      throw Self.damaged
    }
  }

  func sealed(_ content: consuming [UInt8], _ key: UInt64) -> [UInt8] {
    Seal(key: key, generation: epoch).sealed(content)
  }

  static var damaged: LMDBError { LMDBError(.damaged, message: "the vector index is damaged") }
}
