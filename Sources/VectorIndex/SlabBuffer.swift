import Vectors

/// Encoded vectors in memory, before they are written as slabs.
struct SlabBuffer {
  let layout: SlabLayout
  private(set) var ids: [Int64] = []
  private(set) var groups: [Int64] = []
  private(set) var attributes: [RowAttributes] = []
  private var codes: [UInt8] = []
  private var rows: [UInt8] = []

  init(_ layout: SlabLayout) { self.layout = layout }

  var count: Int { ids.count }

  /// Encodes a vector. One that is not finite or all zero is left out: no query could find it.
  mutating func append(
    id: Int64, group: Int64, _ attributes: RowAttributes, components: UnsafeRawBufferPointer, _ encoder: CodeEncoder,
    generation: UInt64
  ) {
    codes.append(contentsOf: repeatElement(0, count: layout.codeBytes))
    rows.append(contentsOf: repeatElement(0, count: layout.rowBytes))
    let place = count
    let isEncoded = codes.withUnsafeMutableBytes { codes in
      rows.withUnsafeMutableBytes { rows in
        let row = UnsafeMutableRawBufferPointer(rebasing: rows[(place * layout.rowBytes)...])
        let encoded = encoder.encode(
          components, code: .init(rebasing: codes[(place * layout.codeBytes)...]),
          int8Row: .init(rebasing: row[SlabLayout.rowHeader...]))
        guard let encoded else { return false }
        SlabRow.write(scale: encoded.scale, norm: encoded.norm, id, generation: generation, to: row)
        return true
      }
    }
    guard isEncoded else {
      codes.removeLast(layout.codeBytes)
      rows.removeLast(layout.rowBytes)
      return
    }
    append(id, group, attributes)
  }

  /// Copies a vector of a slab.
  mutating func append(_ slot: Int, of slab: SlabView) {
    codes.append(contentsOf: slab.code(slot))
    let row = UnsafeRawBufferPointer(start: slab.rows + slot * layout.rowBytes, count: layout.rowBytes)
    rows.append(contentsOf: row)
    append(slab.columns.id(slot), slab.columns.group(slot), slab.columns.attributes(slot, state: slab.state(slot)))
  }

  /// Copies the vectors of a slab that are not dead.
  mutating func append(alive slab: SlabView) {
    for slot in 0..<slab.count where slab.state(slot) != SlabLayout.dead { append(slot, of: slab) }
  }

  mutating func append(_ index: Int, of other: SlabBuffer) {
    codes.append(contentsOf: other.codes[index * layout.codeBytes..<(index + 1) * layout.codeBytes])
    rows.append(contentsOf: other.rows[index * layout.rowBytes..<(index + 1) * layout.rowBytes])
    append(other.ids[index], other.groups[index], other.attributes[index])
  }

  private mutating func append(_ id: Int64, _ group: Int64, _ attributes: RowAttributes) {
    ids.append(id)
    groups.append(group)
    self.attributes.append(attributes)
  }

  /// The length of a vector.
  func norm(_ index: Int) -> Float {
    rows.withUnsafeBytes { rows in
      rows.baseAddress.map { SlabRow($0 + index * layout.rowBytes, dimensions: layout.dimensions).norm } ?? 0
    }
  }

  mutating func setState(_ state: UInt8, at index: Int) { attributes[index].state = state }

  /// The parts of a slab of the vectors at these indexes, in this order.
  func parts(_ order: ArraySlice<Int>) -> (codes: [UInt8], rows: [UInt8], columns: [UInt8], states: [UInt8]) {
    var codes = codeGroups(order)
    codes.reserveCapacity(layout.codesBytes(order.count) + 8)
    for index in order { codes += self.codes[index * layout.codeBytes..<(index + 1) * layout.codeBytes] }
    var rows: [UInt8] = []
    rows.reserveCapacity(order.count * layout.rowBytes)
    for index in order { rows += self.rows[index * layout.rowBytes..<(index + 1) * layout.rowBytes] }
    var columns: [UInt8] = []
    columns.reserveCapacity(order.count * SlabColumns.bytesPerVector + 8)
    func put(_ value: (Int) -> some FixedWidthInteger) {
      for index in order { withUnsafeBytes(of: value(index).littleEndian) { columns.append(contentsOf: $0) } }
    }
    put { ids[$0] }
    put { groups[$0] }
    put { attributes[$0].time }
    put { attributes[$0].partition }
    put { attributes[$0].series }
    put { attributes[$0].kind }
    put { UInt8(truncatingIfNeeded: attributes[$0].series) }
    put { UInt8(truncatingIfNeeded: attributes[$0].kind) }
    return (codes, rows, columns, order.map { attributes[$0].state })
  }

  private func codeGroups(_ order: ArraySlice<Int>) -> [UInt8] {
    var groups = [UInt8](repeating: 0, count: layout.code.groupBytes(order.count))
    for (row, index) in order.enumerated() {
      for word in 0..<layout.code.prefixWords {
        let offset = layout.code.groupOffset(ofWord: word, row: row)
        let start = index * layout.codeBytes + 8 * word
        groups.replaceSubrange(offset..<offset + 8, with: codes[start..<start + 8])
      }
    }
    return groups
  }

  /// The parts concatenated, as `SlabView(_:count:contiguous:)` reads them.
  func contiguous() -> [UInt8] {
    let parts = parts(Array(0..<count)[...])
    return parts.codes + parts.rows + parts.columns + parts.states
  }
}
