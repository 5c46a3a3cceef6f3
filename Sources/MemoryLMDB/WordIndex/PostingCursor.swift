import LMDB

/// A place among the postings of a term in one segment, moving forward.
///
/// Plain memory, so that a query's cursors lie side by side and move without reference counts: whoever makes one keeps the
/// field's reader and the buffer alive.
struct PostingCursor {
  /// Words of buffer a cursor needs.
  static let bufferCount = 2 * PostingFormat.blockCount

  unowned(unsafe) let field: FieldReader
  let list: PostingList
  private let ordinals: UnsafeMutablePointer<UInt32>
  private let frequencies: UnsafeMutablePointer<UInt32>
  /// -1 before the first move.
  private(set) var block = -1
  private(set) var at = 0
  /// Of its block.
  private(set) var postings = 0
  /// Of the posting that a move by groups reached; `UInt64.max` behind the last.
  private(set) var group: UInt64 = 0
  private(set) var ordinal: UInt32 = 0
  /// Of its block.
  private(set) var lastGroup: UInt64 = 0

  /// The block that `bound` looked at last, and what it gave.
  private var boundBlock = -1
  private var blockBound = 0.0

  init(_ list: PostingList, _ field: FieldReader, buffer: UnsafeMutablePointer<UInt32>) {
    self.list = list
    self.field = field
    ordinals = buffer
    frequencies = buffer + PostingFormat.blockCount
  }

  var isAtEnd: Bool { block >= list.blocks }
  var frequency: UInt32 { frequencies[at] }
  /// Of a posting of its block.
  func frequency(_ index: Int) -> UInt32 { frequencies[index] }

  /// Moves to the first posting, or the one behind this.
  @inline(__always)
  mutating func next() throws(LMDBError) {
    at &+= 1
    if at < postings { return try settle() }
    try enter(block + 1)
  }

  /// Moves to the first posting of `target` or behind, never back.
  @inline(__always)
  mutating func advance(toGroup target: UInt64) throws(LMDBError) {
    if block >= 0, group >= target { return }
    try advanceFar(toGroup: target)
  }

  private mutating func advanceFar(toGroup target: UInt64) throws(LMDBError) {
    if block < 0 || lastGroup < target {
      if list.isIndexed {
        try enter(list.seek(group: target, from: block + 1))
      } else {
        try enter(block + 1)
      }
      if group >= target { return }
      guard lastGroup >= target else {
        // Only a list without an index can end before the target here.
        return try enter(list.blocks)
      }
    }
    var (low, high) = (at + 1, postings - 1)
    // The next one, most of the time.
    if low < high, try field.group(ordinals[low]) < target {
      low += 1
      while low < high {
        let middle = (low + high) / 2
        if try field.group(ordinals[middle]) < target { low = middle + 1 } else { high = middle }
      }
    } else {
      high = low
    }
    guard low < postings else { throw .damagedWords("a posting list") }
    at = low
    try settle()
  }

  /// Moves to the posting behind this, and leaves `group` as it is: whoever uses this goes by ordinals only.
  @inline(__always)
  mutating func nextOrdinal() throws(LMDBError) {
    at &+= 1
    if at < postings { ordinal = ordinals[at] } else { try enter(block + 1) }
  }

  /// Moves to the first posting whose ordinal is not less than `target`, never back. Leaves `group` as it is.
  @inline(__always)
  mutating func advance(toOrdinal target: UInt32) throws(LMDBError) {
    if block >= 0, isAtEnd || ordinal >= target { return }
    try advanceFar(toOrdinal: target)
  }

  private mutating func advanceFar(toOrdinal target: UInt32) throws(LMDBError) {
    if block < 0 || ordinals[postings - 1] < target {
      try enter(list.isIndexed ? list.seek(ordinal: target, from: block + 1) : block + 1)
      if isAtEnd || ordinal >= target { return }
      if ordinals[postings - 1] < target { return try enter(list.blocks) }
    }
    var (low, high) = (at, postings - 1)
    // A few steps first: among common terms the next match is near.
    while low < high, low < at + 4, ordinals[low] < target { low += 1 }
    if ordinals[low] >= target { high = low }
    while low < high {
      let middle = (low + high) / 2
      if ordinals[middle] < target { low = middle + 1 } else { high = middle }
    }
    at = low
    ordinal = ordinals[low]
  }

  /// What a posting of a group in front can score at most, without decoding the block it would be in.
  mutating func bound(ofGroup target: UInt64, _ scorer: TermScorer) throws(LMDBError) -> Double {
    guard list.isIndexed, !isAtEnd else { return .infinity }
    var wanted = max(block, boundBlock)
    if list.lastGroup(wanted) < target {
      wanted = list.seek(group: target, from: wanted + 1)
      if wanted == list.blocks { return 0 }
    }
    if wanted != boundBlock {
      blockBound = try list.bound(scorer, at: list.impactsOffset(wanted))
      boundBlock = wanted
    }
    return blockBound
  }

  /// Moves to the first posting of `target` or behind whose score exceeds `limit`, never back. Leaves out whole blocks.
  mutating func advance(toGroup target: UInt64, exceeding limit: Double, _ scorer: TermScorer) throws(LMDBError) {
    if isAtEnd { return }
    while true {
      while at < postings {
        let ordinal = ordinals[at]
        let length = try field.chunk(ordinal).length(FieldReader.place(ordinal))
        if scorer.score(frequencies[at], length) > limit {
          try settle()
          if group >= target { return }
        }
        at &+= 1
      }
      var next = block + 1
      while next < list.blocks, try list.bound(scorer, at: list.impactsOffset(next)) <= limit { next += 1 }
      try enter(next)
      if isAtEnd { return }
    }
  }

  private mutating func settle() throws(LMDBError) {
    ordinal = ordinals[at]
    group = try field.group(ordinal)
  }

  private mutating func enter(_ number: Int) throws(LMDBError) {
    block = number
    at = 0
    guard number < list.blocks else {
      postings = 0
      group = .max
      lastGroup = .max
      return
    }
    let found = try list.block(number)
    try decode(found)
    postings = found.postings
    let last = ordinals[postings - 1]
    if list.isIndexed, last != list.lastOrdinal(number) { throw .damagedWords("a posting list") }
    lastGroup = list.isIndexed ? list.lastGroup(number) : try field.group(last)
    try settle()
  }

  private func decode(_ found: PostingList.Block) throws(LMDBError) {
    var ordinal = found.previous
    var data = found.data
    switch found.gapCode {
    case 1:
      for index in 0..<found.postings {
        ordinal &+= Int64(data.load8(index)) &+ 1
        ordinals[index] = UInt32(truncatingIfNeeded: ordinal)
      }
    case 2:
      for index in 0..<found.postings {
        ordinal &+= Int64(data.load16(index &* 2)) &+ 1
        ordinals[index] = UInt32(truncatingIfNeeded: ordinal)
      }
    default:
      for index in 0..<found.postings {
        ordinal &+= Int64(data.load32(index &* 4)) &+ 1
        ordinals[index] = UInt32(truncatingIfNeeded: ordinal)
      }
    }
    // Sums in 64 bits only rise, so the last one vouches for all.
    guard ordinal < Int64(field.count) else { throw .damagedWords("a posting list") }
    data += found.postings &* PostingFormat.width(found.gapCode)
    for index in 0..<found.postings {
      switch found.frequencyCode {
      case 0: frequencies[index] = 1
      case 1: frequencies[index] = UInt32(data.load8(index)) &+ 1
      case 2: frequencies[index] = UInt32(data.load16(index &* 2)) &+ 1
      default: frequencies[index] = data.load32(index &* 4) &+ 1
      }
    }
  }
}
