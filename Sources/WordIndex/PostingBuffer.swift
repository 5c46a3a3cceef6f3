import ByteCoding

/// The layout of postings.
///
/// A block has up to 128 postings: a byte of widths, then gaps between ordinals less one, then frequencies less one, each
/// in 1, 2 or 4 bytes; no bytes for frequencies that are all 1. Fixed widths decode without a branch for each number.
///
/// A short list, in a dictionary page: impacts, one block, positions.
///
/// A long list, a value of its own: documents, blocks, offset of the list's impacts, offset of the first block, each UInt32;
/// an index entry for each block; the impacts of each block and of the list; the blocks. Its positions are another value,
/// so that ranking does not read them.
enum PostingFormat {
  static let blockCount = 128
  static let headerBytes = 16
  /// Last group UInt64; last ordinal, offset of the block, of its impacts, of its positions UInt32.
  static let indexBytes = 24
  static let largestInline = 1_500

  /// Bytes of a number by its code in the byte of widths.
  @inline(__always)
  static func width(_ code: UInt8) -> Int { code == 3 ? 4 : Int(code) }

  static func code(_ largest: UInt32) -> UInt8 { largest <= 0xFF ? 1 : largest <= 0xFFFF ? 2 : 3 }
}

/// The postings of one term, collected for a segment.
struct PostingBuffer {
  /// Ascending.
  private var ordinals: [UInt32] = []
  private var frequencies: [UInt32] = []
  /// Gaps between the positions of a document, the first one from 0, in variable length.
  var positions = ByteWriter(capacity: 0)
  /// Where each document's positions end.
  private var positionEnds: [Int] = []

  var count: Int { ordinals.count }

  mutating func removeAll() {
    ordinals.removeAll(keepingCapacity: true)
    frequencies.removeAll(keepingCapacity: true)
    positions.bytes.removeAll(keepingCapacity: true)
    positionEnds.removeAll(keepingCapacity: true)
  }

  /// Reserves room for more documents, so that a long list is not held twice while an array grows.
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
    positionEnds.append(positions.bytes.count)
  }

  /// Sorts postings that come from several segments.
  mutating func sortByOrdinal() {
    if zip(ordinals, ordinals.dropFirst()).allSatisfy({ $0 < $1 }) { return }
    let order = ordinals.indices.map { UInt64(ordinals[$0]) << 32 | UInt64($0) }.sorted()
    var sorted = PostingBuffer()
    sorted.positions.bytes.reserveCapacity(positions.bytes.count)
    for entry in order {
      let index = Int(entry & 0xFFFF_FFFF)
      sorted.positions.bytes += positions.bytes[positionStart(index)..<positionEnds[index]]
      sorted.append(ordinal: ordinals[index], frequency: frequencies[index])
    }
    self = sorted
  }

  private func positionStart(_ index: Int) -> Int { index == 0 ? 0 : positionEnds[index - 1] }

  // MARK: Encoding

  /// A short list; `nil` if it has more than one block or is too long for a page.
  func encodedInline(_ documents: DocumentColumns) -> [UInt8]? {
    guard count <= PostingFormat.blockCount, positions.bytes.count <= PostingFormat.largestInline else { return nil }
    var bytes = ByteWriter(capacity: 64)
    var impacts = impacts(0..<count, documents)
    impacts.encode(to: &bytes)
    encodeBlock(0..<count, previous: nil, to: &bytes)
    bytes.writeRaw(positions.bytes)
    return bytes.bytes.count <= PostingFormat.largestInline ? bytes.bytes : nil
  }

  /// A long list, without its positions.
  func encodedList(_ documents: DocumentColumns) -> [UInt8] {
    let blocks = (count + PostingFormat.blockCount - 1) / PostingFormat.blockCount
    let impactStart = PostingFormat.headerBytes + blocks * PostingFormat.indexBytes
    var index = ByteWriter(capacity: blocks * PostingFormat.indexBytes)
    var impactBytes = ByteWriter(capacity: 0)
    var data = ByteWriter(capacity: count + count / 8)
    var whole = Impacts()
    var previous: UInt32?
    for block in 0..<blocks {
      let range = (block * PostingFormat.blockCount)..<min(count, (block + 1) * PostingFormat.blockCount)
      let last = ordinals[range.upperBound - 1]
      index.write(documents.groups[Int(last)])
      index.write(last)
      index.write(UInt32(truncatingIfNeeded: data.bytes.count))
      index.write(UInt32(truncatingIfNeeded: impactStart + impactBytes.bytes.count))
      index.write(UInt32(truncatingIfNeeded: positionStart(range.lowerBound)))
      var impacts = impacts(range, documents)
      whole.merge(impacts)
      impacts.encode(to: &impactBytes)
      encodeBlock(range, previous: previous, to: &data)
      previous = last
    }
    let wholeStart = impactStart + impactBytes.bytes.count
    whole.encode(to: &impactBytes)
    let dataStart = impactStart + impactBytes.bytes.count
    var list = ByteWriter(capacity: dataStart + data.bytes.count + Seal.byteCount)
    for number in [count, blocks, wholeStart, dataStart] { list.write(UInt32(truncatingIfNeeded: number)) }
    list.writeRaw(index.bytes)
    list.writeRaw(impactBytes.bytes)
    list.writeRaw(data.bytes)
    return list.bytes
  }

  private func impacts(_ range: Range<Int>, _ documents: DocumentColumns) -> Impacts {
    var impacts = Impacts()
    for index in range {
      impacts.insert(frequency: frequencies[index], length: documents.lengths[Int(ordinals[index])])
    }
    return impacts
  }

  private func encodeBlock(_ range: Range<Int>, previous: UInt32?, to bytes: inout ByteWriter) {
    var largestGap: UInt32 = 0
    var largestFrequency: UInt32 = 0
    var last = previous
    for index in range {
      largestGap |= gap(ordinals[index], after: last)
      largestFrequency |= frequencies[index] - 1
      last = ordinals[index]
    }
    let gapCode = PostingFormat.code(largestGap)
    let frequencyCode = largestFrequency == 0 ? 0 : PostingFormat.code(largestFrequency)
    bytes.write(gapCode | frequencyCode << 2)
    last = previous
    for index in range {
      write(gap(ordinals[index], after: last), gapCode, to: &bytes)
      last = ordinals[index]
    }
    if frequencyCode == 0 { return }
    for index in range { write(frequencies[index] - 1, frequencyCode, to: &bytes) }
  }

  @inline(__always)
  private func gap(_ ordinal: UInt32, after previous: UInt32?) -> UInt32 {
    previous.map { ordinal - $0 - 1 } ?? ordinal
  }

  @inline(__always)
  private func write(_ value: UInt32, _ code: UInt8, to bytes: inout ByteWriter) {
    switch code {
    case 1: bytes.write(UInt8(truncatingIfNeeded: value))
    case 2: bytes.write(UInt16(truncatingIfNeeded: value))
    default: bytes.write(value)
    }
  }
}

/// The best (frequency, length) pairs of some postings: no posting has both more occurrences and fewer tokens than one of
/// them, so bm25 of a posting is at most that of one of the pairs, whatever the statistics.
struct Impacts {
  private struct Pair {
    var frequency: UInt32
    var length: UInt32
  }

  /// Pairs that are stored; more are rounded up into fewer.
  private static let limit = 6

  /// Ascending in both.
  private var pairs: [Pair] = []

  @inline(__always)
  mutating func insert(frequency: UInt32, length: UInt32) {
    for pair in pairs where pair.frequency >= frequency && pair.length <= length { return }
    insertNew(Pair(frequency: frequency, length: length))
  }

  private mutating func insertNew(_ new: Pair) {
    pairs.removeAll { $0.frequency <= new.frequency && $0.length >= new.length }
    let place = pairs.firstIndex { $0.frequency > new.frequency } ?? pairs.count
    pairs.insert(new, at: place)
    // Twice the limit until all are in, so that an early rounding does not cover later pairs.
    if pairs.count > 2 * Self.limit { shrink(to: Self.limit) }
  }

  mutating func merge(_ other: Impacts) {
    for pair in other.pairs { insert(frequency: pair.frequency, length: pair.length) }
  }

  /// Joins the two neighbours that lose least: the higher frequency with the shorter length bounds both.
  private mutating func shrink(to limit: Int) {
    while pairs.count > limit {
      var best = 1
      var bestLoss = UInt64.max
      for index in 1..<pairs.count {
        let loss =
          UInt64(pairs[index].frequency - pairs[index - 1].frequency)
          &* UInt64(pairs[index].length - pairs[index - 1].length)
        if loss < bestLoss {
          bestLoss = loss
          best = index
        }
      }
      pairs[best - 1].frequency = pairs[best].frequency
      pairs.remove(at: best)
    }
  }

  /// A count of pairs, a byte, and the pairs in variable length; `PostingList.forEachImpact` reads them.
  mutating func encode(to bytes: inout ByteWriter) {
    shrink(to: Self.limit)
    bytes.write(UInt8(truncatingIfNeeded: pairs.count))
    for pair in pairs {
      bytes.writeVariable(pair.frequency)
      bytes.writeVariable(pair.length)
    }
  }
}
