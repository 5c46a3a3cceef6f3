import ByteCoding
import Vectors

/// The layout of the slabs of one vector space.
///
/// A slab holds up to 16,384 vectors and 8 MiB of one partition, in the order of their row ids, in four values:
///
/// | part | content, *n* vectors | changes |
/// | --- | --- | --- |
/// | codes | the first words of all codes in groups, to scan; then *n* whole codes, to compare few: see `CodeLayout` | never |
/// | rows | *n* times scale Float32, norm Float32, check UInt32, one Int8 a dimension | never |
/// | columns | see `SlabColumns` | never |
/// | states | *n* bytes: the state of the row, or `dead` | with the row |
///
/// Codes depend on the vector alone, so a rebuild gives the same ones. Every part but rows ends with a seal over the whole
/// value. A query reads a few rows of a slab, so each row has a check of its own.
struct SlabLayout: Sendable {
  /// Vectors of the largest slab.
  static let capacity = 16_384
  /// The state of a removed row.
  static let dead: UInt8 = 255
  static let rowHeader = 12

  let dimensions: Int
  let code: CodeLayout

  init(dimensions: Int) {
    self.dimensions = dimensions
    code = CodeLayout(dimensions: dimensions)
  }

  var codeBytes: Int { code.codeBytes }
  var rowBytes: Int { Self.rowHeader + dimensions }
  /// Bytes of a vector in all parts together.
  var bytesPerVector: Int { 8 * code.prefixWords + codeBytes + rowBytes + SlabColumns.bytesPerVector + 1 }

  /// Vectors of a new slab: bounds the bytes that one merge copies, whatever the dimensions.
  var capacity: Int { min(Self.capacity, max(1, Self.slabBytes / bytesPerVector)) }
  /// Vectors of the tail, before they become slabs: bounds the bytes that a single insert writes.
  var tailCapacity: Int { min(64, max(4, Self.tailBytes / bytesPerVector)) }

  private static let slabBytes = 8 << 20
  private static let tailBytes = 256 << 10

  /// The length of the part codes.
  func codesBytes(_ count: Int) -> Int { code.groupBytes(count) + count * codeBytes }
}

/// The ids and attributes of a slab's vectors, column by column: row id Int64, group Int64, time Int64, partition UInt32,
/// series UInt32, kind UInt32, then the low bytes of series and of kind, which a filter compares first.
struct SlabColumns {
  static let bytesPerVector = 3 * 8 + 3 * 4 + 2

  let count: Int
  let base: UnsafeRawPointer

  var ids: UnsafeRawPointer { base }
  var groups: UnsafeRawPointer { base + 8 * count }
  var times: UnsafeRawPointer { base + 16 * count }
  var partitions: UnsafeRawPointer { base + 24 * count }
  var series: UnsafeRawPointer { base + 28 * count }
  var kinds: UnsafeRawPointer { base + 32 * count }
  var seriesBytes: UnsafeRawPointer { base + 36 * count }
  var kindBytes: UnsafeRawPointer { base + 37 * count }

  func id(_ slot: Int) -> Int64 { Self.int64(ids, slot) }
  func group(_ slot: Int) -> Int64 { Self.int64(groups, slot) }
  func attributes(_ slot: Int, state: UInt8) -> RowAttributes {
    RowAttributes(
      partition: Self.uint32(partitions, slot), series: Self.uint32(series, slot), kind: Self.uint32(kinds, slot),
      state: state, time: Self.int64(times, slot))
  }

  /// The slot of a row, by binary search; `nil` if it is not in the slab.
  func slot(of id: Int64) -> Int? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self.id(middle) < id { low = middle + 1 } else { high = middle }
    }
    return low < count && self.id(low) == id ? low : nil
  }

  private static func int64(_ column: UnsafeRawPointer, _ slot: Int) -> Int64 {
    column.integer(at: 8 * slot)
  }

  private static func uint32(_ column: UnsafeRawPointer, _ slot: Int) -> UInt32 {
    column.integer(at: 4 * slot)
  }
}

/// The parts of a slab in the map: valid until the transaction that found them ends or changes something.
struct SlabView {
  let layout: SlabLayout
  let count: Int
  let codes: UnsafeRawPointer
  let rows: UnsafeRawPointer
  let columns: SlabColumns
  let states: UnsafeRawPointer
  /// Bounds of what is in it; `nil` for a tail.
  let record: SpaceRecord.Slab?

  init(
    _ layout: SlabLayout, count: Int, codes: UnsafeRawPointer, rows: UnsafeRawPointer, columns: UnsafeRawPointer,
    states: UnsafeRawPointer, record: SpaceRecord.Slab? = nil
  ) {
    self.layout = layout
    self.count = count
    self.codes = codes
    self.rows = rows
    self.columns = SlabColumns(count: count, base: columns)
    self.states = states
    self.record = record
  }

  /// The concatenated parts, without seals; `nil` if the length does not fit.
  init?(_ layout: SlabLayout, count: Int, contiguous bytes: UnsafeRawBufferPointer) {
    guard 0...bytes.count ~= count, let base = bytes.baseAddress else { return nil }
    let rows = base + layout.codesBytes(count)
    let columns = rows + count * layout.rowBytes
    guard rows - base + count * (layout.rowBytes + SlabColumns.bytesPerVector + 1) == bytes.count else { return nil }
    self.init(
      layout, count: count, codes: base, rows: rows, columns: columns,
      states: columns + count * SlabColumns.bytesPerVector)
  }

  /// The first words of all codes, in groups.
  var groups: UnsafeRawBufferPointer { .init(start: codes, count: layout.code.groupBytes(count)) }

  func code(_ slot: Int) -> UnsafeRawBufferPointer {
    .init(start: codes + layout.code.groupBytes(count) + slot * layout.codeBytes, count: layout.codeBytes)
  }

  /// Whether the groups agree with a vector's code.
  func isGrouped(_ slot: Int) -> Bool {
    let code = code(slot)
    return (0..<layout.code.prefixWords).allSatisfy { word in
      groups.loadUnaligned(fromByteOffset: layout.code.groupOffset(ofWord: word, row: slot), as: UInt64.self)
        == code.loadUnaligned(fromByteOffset: 8 * word, as: UInt64.self)
    }
  }

  func state(_ slot: Int) -> UInt8 { states.load(fromByteOffset: slot, as: UInt8.self) }
  func row(_ slot: Int) -> SlabRow { SlabRow(rows + slot * layout.rowBytes, dimensions: layout.dimensions) }
}

/// A vector as bytes: scale, norm, check, and one Int8 a dimension; see `SlabLayout`.
struct SlabRow {
  private let base: UnsafeRawPointer
  private let dimensions: Int

  /// The first of the Int8 components.
  var start: UnsafeRawPointer { base + SlabLayout.rowHeader }

  init(_ base: UnsafeRawPointer, dimensions: Int) {
    self.base = base
    self.dimensions = dimensions
  }

  /// The value of one unit of a component.
  var scale: Float { Float(bitPattern: word(0)) }
  /// The length of the vector.
  var norm: Float { Float(bitPattern: word(4)) }

  /// Whether the row is what was stored.
  func isIntact(_ id: Int64, generation: UInt64) -> Bool {
    word(8) == Self.check(components, scale: word(0), norm: word(4), id, generation: generation)
  }

  static func write(
    scale: Float, norm: Float, _ id: Int64, generation: UInt64, to row: UnsafeMutableRawBufferPointer
  ) {
    row.store(scale.bitPattern, at: 0)
    row.store(norm.bitPattern, at: 4)
    let components = UnsafeRawBufferPointer(rebasing: row[SlabLayout.rowHeader...])
    let check = check(components, scale: scale.bitPattern, norm: norm.bitPattern, id, generation: generation)
    row.store(check, at: 8)
  }

  private var components: UnsafeRawBufferPointer { .init(start: start, count: dimensions) }

  private func word(_ offset: Int) -> UInt32 { base.integer(at: offset) }

  private static func check(
    _ components: UnsafeRawBufferPointer, scale: UInt32, norm: UInt32, _ id: Int64, generation: UInt64
  ) -> UInt32 {
    let header = UInt64(scale) << 32 | UInt64(norm)
    return UInt32(
      truncatingIfNeeded: Checksum.of(
        components, seed: generation ^ header ^ UInt64(bitPattern: id) &* 0x9E37_79B9_7F4A_7C15))
  }
}
