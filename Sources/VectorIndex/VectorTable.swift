package import ByteCoding
package import LMDB
import Synchronization

/// Quantised vectors in one LMDB database: finds the rows nearest to a query among those that pass a filter.
///
/// A row has an id, a group, attributes and a vector. Vectors of one space (name and dimensions) are compared with each
/// other only. The table keeps codes, not the vectors: the caller compares the last candidates exactly.
///
/// Keys are integers: a kind in the highest byte, then
///
/// | kind | rest of the key | value |
/// | --- | --- | --- |
/// | 1 space | number of the space | `SpaceRecord` |
/// | 2 tail | number of the space | up to 64 vectors and 256 KiB of any partition: the parts of a slab, concatenated |
/// | 3 slab | number of the slab * 4 + part | see `SlabLayout` |
/// | 4 counter | 0 | number of the next slab; no number is used twice |
///
/// Reading and verifying — this file; changing — `VectorTable+Changing`; searching — `VectorTable+Searching`.
package struct VectorTable: Sendable {
  enum Part: UInt64, CaseIterable { case codes, rows, columns, states }

  /// Vectors of the largest slab.
  package static let slabCapacity = SlabLayout.capacity

  package let database: Database
  let groups: GroupTable
  let generation: UInt64
  let verified: VerifiedValues
  private let isTrusted: Bool
  private let deferredChecks = EveryNth(64)
  let scratch = VectorScratch.Pool()

  /// - Parameter database: Integer keys; used by nothing else.
  /// - Parameter groups: Byte keys; used by nothing else.
  /// - Parameter generation: A random number of the life of the files. Values sealed in another life count as damaged.
  /// - Parameter isTrusted: Whether no other program wrote to the file. Of unverified slab parts then 1 in 64 is verified per
  ///   visit, instead of all: that would cost a process's first search several times the search itself.
  package init(
    database: Database, groups: Database, generation: UInt64, verified: VerifiedValues, isTrusted: Bool
  ) {
    self.database = database
    self.groups = GroupTable(database: groups, generation: generation)
    self.generation = generation
    self.verified = verified
    self.isTrusted = isTrusted
  }

  // MARK: Keys

  static func space(_ number: UInt64) -> UInt64 { 1 << 56 | number }
  static func tail(_ number: UInt64) -> UInt64 { 2 << 56 | number }
  static func slab(_ number: UInt64, _ part: Part) -> UInt64 { 3 << 56 | number << 2 | part.rawValue }
  static let counter: UInt64 = 4 << 56

  // MARK: Reading

  /// Every space, in the order in which they were added.
  func spaces(in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) -> [SpaceRecord] {
    var spaces: [SpaceRecord] = []
    // They are numbered from 1 and never removed.
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

  /// The vectors that are in no slab yet; `nil` if there are none.
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

  /// A slab in the map: valid until the transaction ends or changes something.
  func view(
    of slab: SpaceRecord.Slab, _ layout: SlabLayout, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> SlabView {
    let codes = try part(.codes, of: slab, layout.codesBytes(slab.count), in: transaction)
    let rows = try part(.rows, of: slab, slab.count * layout.rowBytes, in: transaction)
    let columns = try part(.columns, of: slab, slab.count * SlabColumns.bytesPerVector, in: transaction)
    let states = try part(.states, of: slab, slab.count, in: transaction)
    return SlabView(
      layout, count: slab.count, codes: codes, rows: rows, columns: columns, states: states, record: slab)
  }

  private func part(
    _ part: Part, of slab: SpaceRecord.Slab, _ count: Int, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> UnsafeRawPointer {
    let key = Self.slab(slab.id, part)
    guard let value = try transaction.get(key, in: database) else { throw Self.damaged }
    return try value.withUnsafeBytes { bytes throws(LMDBError) in
      // Each row has a check of its own.
      let content = part == .rows ? bytes : try open(bytes, key, mayDefer: true)
      guard content.count == count, let base = content.baseAddress else { throw Self.damaged }
      return base
    }
  }

  /// The value without its seal, which is verified once a process.
  ///
  /// - Parameter mayDefer: Whether a later visit may verify the seal, if the file is trusted.
  func open(
    _ value: UnsafeRawBufferPointer, _ key: UInt64, mayDefer: Bool = false
  ) throws(LMDBError) -> UnsafeRawBufferPointer {
    guard value.count >= Seal.byteCount else { throw Self.damaged }
    let content = UnsafeRawBufferPointer(rebasing: value.dropLast(Seal.byteCount))
    if verified.contains(Seal.checksum(of: value.bytes)) { return content }
    if mayDefer, isTrusted, !deferredChecks.isDue() { return content }
    do throws(MalformedBytes) {
      _ = try Seal(key: key, generation: generation).open(value.bytes, verified: verified)
      return content
    } catch {
      throw Self.damaged
    }
  }

  func sealed(_ content: consuming [UInt8], _ key: UInt64) -> [UInt8] {
    Seal(key: key, generation: generation).sealed(content)
  }

  static var damaged: LMDBError { LMDBError(.damaged, message: "the vector index is damaged") }
}

// MARK: Statistics and verifying

extension VectorTable {
  /// Rows that are not dead, and bytes of all values.
  package func statistics(
    in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> (rows: Int, bytes: Int) {
    try spaces(in: transaction).reduce((0, 0)) { sum, space in
      let vectors = space.slabs.reduce(space.tailCount) { $0 + $1.count }
      let bytes = space.encoded().count + vectors * SlabLayout(dimensions: space.dimensions).bytesPerVector
      return (sum.0 + space.alive, sum.1 + bytes)
    }
  }
}

extension VectorTable {
  /// A hash of every row that is not dead (its space, group, codes and bytes), by id; verifies all values.
  ///
  /// - Complexity: Reads everything.
  package func fingerprints(
    in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> [Int64: UInt64] {
    var fingerprints: [Int64: UInt64] = [:]
    for space in try spaces(in: transaction) {
      let layout = SlabLayout(dimensions: space.dimensions)
      var views: [SlabView] = []
      for slab in space.slabs { views.append(try view(of: slab, layout, in: transaction)) }
      if let tail = try tail(of: space, in: transaction) { views.append(tail) }
      var alive = 0
      for view in views {
        for slot in 0..<view.count where view.state(slot) != SlabLayout.dead {
          let id = view.columns.id(slot)
          alive += 1
          guard view.row(slot).isIntact(id, generation: generation), view.isGrouped(slot),
            fingerprints.updateValue(view.fingerprint(slot, space: space.name), forKey: id) == nil
          else { throw Self.damaged }
        }
      }
      guard alive == space.alive else { throw Self.damaged }
      for view in views {
        for slot in 0..<view.count where view.state(slot) != SlabLayout.dead {
          let ids = try groups.ids(ofGroup: view.columns.group(slot), space: space.number, in: transaction)
          guard ids.contains(view.columns.id(slot)) else { throw Self.damaged }
        }
      }
    }
    guard try groups.count(in: transaction) == fingerprints.count else { throw Self.damaged }
    return fingerprints
  }
}

extension VectorChanges {
  /// As `VectorTable.fingerprints`, of the added rows.
  package var fingerprints: [Int64: UInt64] {
    var fingerprints: [Int64: UInt64] = [:]
    for (space, buffer) in added where buffer.count > 0 {
      buffer.contiguous().withUnsafeBytes { bytes in
        guard let view = SlabView(buffer.layout, count: buffer.count, contiguous: bytes) else { return }
        for slot in 0..<view.count {
          fingerprints[view.columns.id(slot)] = view.fingerprint(slot, space: space.name)
        }
      }
    }
    return fingerprints
  }
}

extension SlabView {
  fileprivate func fingerprint(_ slot: Int, space: String) -> UInt64 {
    let space = Checksum.of(space, seed: UInt64(layout.dimensions))
    let signs = Checksum.of(code(slot), seed: space ^ UInt64(bitPattern: columns.group(slot)))
    let row = UnsafeRawBufferPointer(start: rows + slot * layout.rowBytes, count: layout.rowBytes)
    return Checksum.of(row, seed: signs)
  }
}

/// Counts calls, for work that is due at every *n*th of them.
private final class EveryNth: Sendable {
  private let calls = Atomic(0)
  private let interval: Int

  init(_ interval: Int) { self.interval = interval }

  func isDue() -> Bool { calls.add(1, ordering: .relaxed).newValue.isMultiple(of: interval) }
}
