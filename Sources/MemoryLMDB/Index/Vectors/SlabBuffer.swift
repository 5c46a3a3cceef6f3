import Vectors

/// Vectors with their codes on the way into slabs, in memory.
struct SlabBuffer {
  let layout: SlabLayout
  private(set) var vectors: [Int64] = []
  private(set) var episodes: [Int64] = []
  private(set) var attributes: [NamedAttributes] = []
  private var codes: [UInt8] = []
  private var rows: [UInt8] = []

  init(_ layout: SlabLayout) { self.layout = layout }

  var count: Int { vectors.count }

  /// Encodes a vector; one that is no vector is left out, as no query could find it.
  mutating func append(
    vector: Int64, episode: Int64, _ attributes: NamedAttributes, components: UnsafeRawBufferPointer,
    _ encoder: CodeEncoder, epoch: UInt64
  ) {
    grow()
    let at = count
    let isEncoded = codes.withUnsafeMutableBytes { codes in
      rows.withUnsafeMutableBytes { rows in
        let row = UnsafeMutableRawBufferPointer(rebasing: rows[(at * layout.rowBytes)...])
        let found = encoder.encode(
          components, code: .init(rebasing: codes[(at * layout.codeBytes)...]),
          int8Row: .init(rebasing: row[SlabLayout.rowHeader...]))
        guard let found else { return false }
        SlabRow.write(scale: found.scale, norm: found.norm, vector, epoch: epoch, to: row)
        return true
      }
    }
    if isEncoded { note(vector, episode, attributes) } else { shrink() }
  }

  /// Takes over a vector of a slab.
  mutating func append(_ slot: Int, of slab: SlabView) {
    codes.append(contentsOf: slab.code(slot))
    let row = UnsafeRawBufferPointer(start: slab.rows + slot * layout.rowBytes, count: layout.rowBytes)
    rows.append(contentsOf: row)
    note(
      slab.columns.vector(slot), slab.columns.episode(slot),
      slab.columns.attributes(slot, status: slab.status(slot)))
  }

  /// Takes over all of a slab's vectors that are not dead.
  mutating func append(alive slab: SlabView) {
    for slot in 0..<slab.count where slab.status(slot) != SlabLayout.dead { append(slot, of: slab) }
  }

  mutating func append(_ index: Int, of other: SlabBuffer) {
    codes.append(contentsOf: other.codes[index * layout.codeBytes..<(index + 1) * layout.codeBytes])
    rows.append(contentsOf: other.rows[index * layout.rowBytes..<(index + 1) * layout.rowBytes])
    note(other.vectors[index], other.episodes[index], other.attributes[index])
  }

  /// The length of a vector.
  func norm(_ index: Int) -> Float {
    rows.withUnsafeBytes { rows in
      rows.baseAddress.map { SlabRow($0 + index * layout.rowBytes, dimensions: layout.dimensions).norm } ?? 0
    }
  }

  mutating func setStatus(_ status: UInt8, at index: Int) { attributes[index].status = status }

  /// The parts of a slab of the vectors at these places, in this order.
  func parts(_ order: ArraySlice<Int>) -> (codes: [UInt8], rows: [UInt8], columns: [UInt8], statuses: [UInt8]) {
    var codes = groups(order)
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
    put { vectors[$0] }
    put { episodes[$0] }
    put { attributes[$0].createdAt }
    put { attributes[$0].domain }
    put { attributes[$0].session }
    put { attributes[$0].task }
    put { UInt8(truncatingIfNeeded: attributes[$0].session) }
    put { UInt8(truncatingIfNeeded: attributes[$0].task) }
    return (codes, rows, columns, order.map { attributes[$0].status })
  }

  private func groups(_ order: ArraySlice<Int>) -> [UInt8] {
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

  /// The parts one behind the other, as `SlabView(_:count:contiguous:)` takes them.
  func contiguous() -> [UInt8] {
    let parts = parts(Array(0..<count)[...])
    return parts.codes + parts.rows + parts.columns + parts.statuses
  }

  private mutating func note(_ vector: Int64, _ episode: Int64, _ attributes: NamedAttributes) {
    vectors.append(vector)
    episodes.append(episode)
    self.attributes.append(attributes)
  }

  private mutating func grow() {
    codes.append(contentsOf: repeatElement(0, count: layout.codeBytes))
    rows.append(contentsOf: repeatElement(0, count: layout.rowBytes))
  }

  private mutating func shrink() {
    codes.removeLast(layout.codeBytes)
    rows.removeLast(layout.rowBytes)
  }
}
