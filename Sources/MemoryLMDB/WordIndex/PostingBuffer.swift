/// The postings of one term on their way into a segment.
struct PostingBuffer {
  /// Ascending.
  var ordinals: [UInt32] = []
  var frequencies: [UInt32] = []
  /// Gaps between the positions of a document, the first one from 0; seven bits a byte.
  var positions: [UInt8] = []
  /// Where each document's positions end.
  var positionEnds: [Int] = []

  var count: Int { ordinals.count }

  mutating func removeAll() {
    ordinals.removeAll(keepingCapacity: true)
    frequencies.removeAll(keepingCapacity: true)
    positions.removeAll(keepingCapacity: true)
    positionEnds.removeAll(keepingCapacity: true)
  }

  /// Makes place for as many documents more, so that a long list is not held twice while an array grows.
  mutating func reserve(_ documents: Int) {
    guard documents > 65_536 else { return }
    ordinals.reserveCapacity(count + documents)
    frequencies.reserveCapacity(count + documents)
    positionEnds.reserveCapacity(count + documents)
  }

  /// Adds the document whose positions were appended to `positions` just before.
  @inline(__always)
  mutating func append(ordinal: UInt32, frequency: UInt32) {
    ordinals.append(ordinal)
    frequencies.append(frequency)
    positionEnds.append(positions.count)
  }

  /// Brings postings of several segments into one order.
  mutating func sortByOrdinal() {
    var isSorted = true
    for index in ordinals.indices.dropFirst() where ordinals[index] <= ordinals[index - 1] {
      isSorted = false
      break
    }
    if isSorted { return }
    let order = ordinals.indices.map { UInt64(ordinals[$0]) << 32 | UInt64($0) }.sorted()
    var sorted = PostingBuffer()
    sorted.positions.reserveCapacity(positions.count)
    for entry in order {
      let index = Int(entry & 0xFFFF_FFFF)
      sorted.positions.append(contentsOf: positions[(index == 0 ? 0 : positionEnds[index - 1])..<positionEnds[index]])
      sorted.append(ordinal: ordinals[index], frequency: frequencies[index])
    }
    self = sorted
  }
}
