/// How postings lie in a value.
///
/// A block has up to 128 postings: a byte of widths, then gaps between ordinals less one, then frequencies less one, each
/// in 1, 2 or 4 bytes; frequencies in none where all are 1. Fixed widths, because they decode without a branch for each.
///
/// A small list, in a dictionary page: impacts, one block, positions.
///
/// A large list, a value of its own: `documents, blocks, offset of the list's impacts, offset of the first block`, each
/// UInt32; an index entry for each block; the impacts of each block and of the list; the blocks. Its positions are another
/// value, so that ranking never touches them.
enum PostingFormat {
  static let blockCount = 128
  static let headerBytes = 16
  /// Last group, last ordinal, offset of the block, of its impacts, of its positions.
  static let indexBytes = 24
  static let largestInline = 1_500

  /// Bytes of a number by its code in the byte of widths.
  @inline(__always)
  static func width(_ code: UInt8) -> Int { code == 3 ? 4 : Int(code) }

  static func code(_ largest: UInt32) -> UInt8 { largest <= 0xFF ? 1 : largest <= 0xFFFF ? 2 : 3 }
}

extension PostingBuffer {
  /// The impacts, the block and the positions of a list that has one block; `nil` if that is too large for a page.
  func encodedInline(_ documents: DocumentColumns) -> [UInt8]? {
    guard count <= PostingFormat.blockCount, positions.count <= PostingFormat.largestInline else { return nil }
    var impacts = impacts(0..<count, documents)
    var bytes: [UInt8] = []
    impacts.encode(to: &bytes)
    encodeBlock(0..<count, previous: nil, to: &bytes)
    bytes.append(contentsOf: positions)
    return bytes.count <= PostingFormat.largestInline ? bytes : nil
  }

  func encodedList(_ documents: DocumentColumns) -> [UInt8] {
    let blocks = (count + PostingFormat.blockCount - 1) / PostingFormat.blockCount
    var index: [UInt8] = []
    var impactBytes: [UInt8] = []
    var data: [UInt8] = []
    data.reserveCapacity(count + count / 8)
    index.reserveCapacity(PostingFormat.headerBytes + blocks * PostingFormat.indexBytes)
    let impactStart = PostingFormat.headerBytes + blocks * PostingFormat.indexBytes
    var whole = Impacts()
    var previous: UInt32?
    for block in 0..<blocks {
      let range = (block * PostingFormat.blockCount)..<min(count, (block + 1) * PostingFormat.blockCount)
      let last = ordinals[range.upperBound - 1]
      index.append64(documents.groups[Int(last)])
      index.append32(last)
      index.append32(UInt32(truncatingIfNeeded: data.count))
      index.append32(UInt32(truncatingIfNeeded: impactStart + impactBytes.count))
      index.append32(UInt32(truncatingIfNeeded: range.lowerBound == 0 ? 0 : positionEnds[range.lowerBound - 1]))
      var impacts = impacts(range, documents)
      whole.merge(impacts)
      impacts.encode(to: &impactBytes)
      encodeBlock(range, previous: previous, to: &data)
      previous = last
    }
    let wholeStart = impactStart + impactBytes.count
    whole.encode(to: &impactBytes)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(impactStart + impactBytes.count + data.count + WordSeal.byteCount)
    bytes.append32(UInt32(truncatingIfNeeded: count))
    bytes.append32(UInt32(truncatingIfNeeded: blocks))
    bytes.append32(UInt32(truncatingIfNeeded: wholeStart))
    bytes.append32(UInt32(truncatingIfNeeded: impactStart + impactBytes.count))
    bytes.append(contentsOf: index)
    bytes.append(contentsOf: impactBytes)
    bytes.append(contentsOf: data)
    return bytes
  }

  private func impacts(_ range: Range<Int>, _ documents: DocumentColumns) -> Impacts {
    var impacts = Impacts()
    for index in range {
      impacts.insert(frequency: frequencies[index], length: documents.lengths[Int(ordinals[index])])
    }
    return impacts
  }

  private func encodeBlock(_ range: Range<Int>, previous: UInt32?, to bytes: inout [UInt8]) {
    var largestGap: UInt32 = 0
    var largestFrequency: UInt32 = 0
    var last = previous
    for index in range {
      largestGap |= gap(ordinals[index], behind: last)
      largestFrequency |= frequencies[index] - 1
      last = ordinals[index]
    }
    let gapCode = PostingFormat.code(largestGap)
    let frequencyCode = largestFrequency == 0 ? 0 : PostingFormat.code(largestFrequency)
    bytes.append(gapCode | frequencyCode << 2)
    last = previous
    for index in range {
      append(gap(ordinals[index], behind: last), gapCode, to: &bytes)
      last = ordinals[index]
    }
    if frequencyCode == 0 { return }
    for index in range { append(frequencies[index] - 1, frequencyCode, to: &bytes) }
  }

  @inline(__always)
  private func gap(_ ordinal: UInt32, behind previous: UInt32?) -> UInt32 {
    previous.map { ordinal - $0 - 1 } ?? ordinal
  }

  @inline(__always)
  private func append(_ value: UInt32, _ code: UInt8, to bytes: inout [UInt8]) {
    switch code {
    case 1: bytes.append(UInt8(truncatingIfNeeded: value))
    case 2: bytes.append16(UInt16(truncatingIfNeeded: value))
    default: bytes.append32(value)
    }
  }
}
