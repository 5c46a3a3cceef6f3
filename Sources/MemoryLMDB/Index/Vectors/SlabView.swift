import ByteCoding
import Vectors

/// The parts of a slab where they lie in the map: good for as long as the transaction that found them.
struct SlabView {
  let layout: SlabLayout
  let count: Int
  let codes: UnsafeRawPointer
  let rows: UnsafeRawPointer
  let columns: SlabColumns
  let statuses: UnsafeRawPointer
  /// What can be said of all in it without looking; `nil` for a tail.
  let record: SpaceRecord.Slab?

  init(
    _ layout: SlabLayout, count: Int, codes: UnsafeRawPointer, rows: UnsafeRawPointer, columns: UnsafeRawPointer,
    statuses: UnsafeRawPointer, record: SpaceRecord.Slab? = nil
  ) {
    self.layout = layout
    self.count = count
    self.codes = codes
    self.rows = rows
    self.columns = SlabColumns(count: count, base: columns)
    self.statuses = statuses
    self.record = record
  }

  /// The parts one behind the other, without seals; `nil` where the length does not fit.
  init?(_ layout: SlabLayout, count: Int, contiguous bytes: UnsafeRawBufferPointer) {
    guard 0...bytes.count ~= count, let base = bytes.baseAddress else { return nil }
    let rows = base + layout.codesBytes(count)
    let columns = rows + count * layout.rowBytes
    guard rows - base + count * (layout.rowBytes + SlabColumns.bytesPerVector + 1) == bytes.count else { return nil }
    self.init(
      layout, count: count, codes: base, rows: rows, columns: columns,
      statuses: columns + count * SlabColumns.bytesPerVector)
  }

  /// The first words of all codes, in groups.
  var groups: UnsafeRawBufferPointer { .init(start: codes, count: layout.code.groupBytes(count)) }

  func code(_ slot: Int) -> UnsafeRawBufferPointer {
    .init(start: codes + layout.code.groupBytes(count) + slot * layout.codeBytes, count: layout.codeBytes)
  }

  /// Whether the groups say of a vector what its code says.
  func isGrouped(_ slot: Int) -> Bool {
    let code = code(slot)
    return (0..<layout.code.prefixWords).allSatisfy { word in
      groups.loadUnaligned(fromByteOffset: layout.code.groupOffset(ofWord: word, row: slot), as: UInt64.self)
        == code.loadUnaligned(fromByteOffset: 8 * word, as: UInt64.self)
    }
  }

  func status(_ slot: Int) -> UInt8 { statuses.load(fromByteOffset: slot, as: UInt8.self) }
  func row(_ slot: Int) -> SlabRow { SlabRow(rows + slot * layout.rowBytes, dimensions: layout.dimensions) }
}

/// A vector as bytes: scale, norm, check, and one Int8 a dimension; see `SlabLayout`.
struct SlabRow {
  private let base: UnsafeRawPointer
  private let dimensions: Int

  /// Where the bytes are, one a dimension.
  var start: UnsafeRawPointer { base + SlabLayout.rowHeader }

  init(_ base: UnsafeRawPointer, dimensions: Int) {
    self.base = base
    self.dimensions = dimensions
  }

  /// What a byte is worth.
  var scale: Float { Float(bitPattern: word(0)) }
  /// The length of the vector.
  var norm: Float { Float(bitPattern: word(4)) }

  /// Whether the row is what was stored.
  func isIntact(_ vector: Int64, epoch: UInt64) -> Bool {
    word(8) == Self.check(components, scale: word(0), norm: word(4), vector, epoch: epoch)
  }

  static func write(
    scale: Float, norm: Float, _ vector: Int64, epoch: UInt64, to row: UnsafeMutableRawBufferPointer
  ) {
    row.store(scale.bitPattern, at: 0)
    row.store(norm.bitPattern, at: 4)
    let components = UnsafeRawBufferPointer(rebasing: row[SlabLayout.rowHeader...])
    let check = check(components, scale: scale.bitPattern, norm: norm.bitPattern, vector, epoch: epoch)
    row.store(check, at: 8)
  }

  private var components: UnsafeRawBufferPointer { .init(start: start, count: dimensions) }

  private func word(_ offset: Int) -> UInt32 { base.integer(at: offset) }

  private static func check(
    _ components: UnsafeRawBufferPointer, scale: UInt32, norm: UInt32, _ vector: Int64, epoch: UInt64
  ) -> UInt32 {
    let header = UInt64(scale) << 32 | UInt64(norm)
    return UInt32(
      truncatingIfNeeded: Checksum.of(
        components, seed: epoch ^ header ^ UInt64(bitPattern: vector) &* 0x9E37_79B9_7F4A_7C15))
  }
}
