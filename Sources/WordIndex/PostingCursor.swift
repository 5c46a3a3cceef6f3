import ByteCoding
import LMDB
import WordScoring

/// A place among the postings of a term in one segment, which only moves forward.
///
/// Trivial, so that the cursors of a query lie side by side and move without reference counts: the search that makes one
/// keeps the field's reader and the buffer alive.
struct PostingCursor {
  /// UInt32 words of buffer that a cursor needs.
  static let bufferCount = PostingFormat.blockCount

  unowned(unsafe) let field: FieldReader
  // The field's own, here because a reference to it is counted at each use.
  private let chunks: UnsafeMutablePointer<FieldReader.Chunk>
  private let known: UnsafeMutablePointer<(group: UInt64, ordinal: UInt32?)>
  let list: PostingList
  /// No posting of the cursor has a lower group.
  let firstGroup: UInt64
  private let ordinals: UnsafeMutablePointer<UInt32>
  /// Ordinals of the cursor's slice.
  private let lower: UInt32
  private let upper: UInt32
  /// Blocks that may have postings of the slice.
  private let firstBlock: Int
  private let endBlock: Int
  /// Of its block, encoded: few of them are needed.
  private var frequencies: UnsafeRawPointer?
  private var frequencyCode: UInt8 = 0
  /// `firstBlock` - 1 before the first move.
  private(set) var block: Int
  private(set) var at = 0
  /// Of its block.
  private(set) var postings = 0
  /// Of the posting that a move by groups reached; `UInt64.max` past the last.
  private(set) var group: UInt64 = 0
  /// `UInt32.max` past the last; no document has it.
  private(set) var ordinal: UInt32 = 0
  /// Of its block.
  private(set) var lastGroup: UInt64 = 0
  private var lastOrdinal: UInt32 = 0

  /// The block that `bound` read last, and its result.
  private var boundBlock = -1
  private var blockBound = 0.0

  /// Of the documents of the list; set by `prepare`.
  private var shortestLength: UInt32 = 0
  /// A lower frequency does not exceed the last limit even in the shortest document.
  private var leastFrequency: UInt32 = 1

  /// A cursor through all postings of a list.
  init(_ list: PostingList, _ field: FieldReader, buffer: UnsafeMutablePointer<UInt32>) {
    self.init(list, field, firstGroup: field.facts.firstGroup, ordinals: nil, buffer: buffer)
  }

  /// A cursor through the postings of a slice's documents.
  init(_ list: PostingList, in slice: FieldSlice, buffer: UnsafeMutablePointer<UInt32>) {
    self.init(
      list, slice.reader, firstGroup: slice.firstGroup, ordinals: slice.isWhole ? nil : slice.ordinals, buffer: buffer)
  }

  private init(
    _ list: PostingList, _ field: FieldReader, firstGroup: UInt64, ordinals slice: Range<UInt32>?,
    buffer: UnsafeMutablePointer<UInt32>
  ) {
    self.list = list
    self.field = field
    chunks = field.chunks
    known = field.known
    self.firstGroup = firstGroup
    ordinals = buffer
    (lower, upper) = (slice?.lowerBound ?? 0, slice?.upperBound ?? .max)
    if let slice, list.isIndexed {
      firstBlock = list.seek(ordinal: slice.lowerBound, from: 0, to: list.blocks)
      let last = list.seek(ordinal: slice.upperBound - 1, from: firstBlock, to: list.blocks)
      endBlock = min(list.blocks, last + 1)
    } else {
      (firstBlock, endBlock) = (0, list.blocks)
    }
    block = firstBlock - 1
  }

  var isAtEnd: Bool { block >= endBlock }
  private var isFresh: Bool { block < firstBlock }
  @inline(__always)
  var frequency: UInt32 { frequency(at) }

  /// The chunk of a document of the field.
  @inline(__always)
  func chunk(_ ordinal: UInt32, _ snapshot: Snapshot) throws(LMDBError) -> FieldReader.Chunk {
    let chunk = chunks[Int(ordinal >> DocumentColumns.chunkShift)]
    return chunk.groups != nil ? chunk : try field.chunk(ordinal, snapshot)
  }

  @inline(__always)
  private func group(of ordinal: UInt32, _ snapshot: Snapshot) throws(LMDBError) -> UInt64 {
    try chunk(ordinal, snapshot).group(FieldReader.place(ordinal))
  }

  /// Keeps the ordinal of the current group's parent, for the cursors of the field that move to the same group next.
  @inline(__always)
  func remember() { known.pointee = (group, ordinal) }

  /// Of a posting of its block.
  @inline(__always)
  func frequency(_ index: Int) -> UInt32 {
    guard let frequencies else { return 1 }
    return switch frequencyCode {
    case 1: UInt32(frequencies.integer(at: index, as: UInt8.self)) &+ 1
    case 2: UInt32(frequencies.integer(at: index &* 2, as: UInt16.self)) &+ 1
    default: frequencies.integer(at: index &* 4, as: UInt32.self) &+ 1
    }
  }

  /// The sum of the frequencies of some postings of its block.
  @inline(__always)
  func frequencies(_ range: Range<Int>) -> Int {
    guard let frequencies else { return range.count }
    var sum = range.count
    if frequencyCode == 1 {
      for index in range { sum &+= Int(frequencies.integer(at: index, as: UInt8.self)) }
    } else {
      for index in range { sum &+= Int(frequency(index)) &- 1 }
    }
    return sum
  }

  /// Moves to the next posting; at first, to the first.
  @inline(__always)
  mutating func next(_ snapshot: Snapshot) throws(LMDBError) {
    at &+= 1
    if at < postings { return try settle(snapshot) }
    try enter(block + 1, snapshot)
  }

  /// Moves to the first posting from `target` on, never back.
  @inline(__always)
  mutating func advance(toGroup target: UInt64, _ snapshot: Snapshot) throws(LMDBError) {
    if !isFresh, group >= target { return }
    if known.pointee.group == target, let ordinal = known.pointee.ordinal {
      return try advance(toOrdinal: ordinal, of: target, snapshot)
    }
    try advanceFar(toGroup: target, snapshot)
  }

  /// Moves by groups if the ordinal of the group's parent is known, which saves the search for it.
  private mutating func advance(
    toOrdinal target: UInt32, of known: UInt64, _ snapshot: Snapshot
  ) throws(LMDBError) {
    let before = block
    try advance(toOrdinal: target)
    if isAtEnd { return }
    if block != before { lastGroup = try groupAtEnd(snapshot) }
    group = ordinal == target ? known : try group(of: ordinal, snapshot)
  }

  private mutating func advanceFar(toGroup target: UInt64, _ snapshot: Snapshot) throws(LMDBError) {
    if isFresh || lastGroup < target {
      if list.isIndexed {
        try enter(list.seek(group: target, from: block + 1, to: endBlock), snapshot)
      } else {
        try enter(block + 1, snapshot)
      }
      if group >= target { return }
      guard lastGroup >= target else {
        // A list without an index, or the last block of a slice, can end before the target.
        return try enter(endBlock, snapshot)
      }
    }
    var (low, high) = (at + 1, postings - 1)
    // The next one, most of the time.
    if low < high, try group(of: ordinals[low], snapshot) < target {
      low += 1
      while low < high {
        let middle = (low + high) / 2
        if try group(of: ordinals[middle], snapshot) < target { low = middle + 1 } else { high = middle }
      }
    } else {
      high = low
    }
    guard low < postings else { throw .damagedWords("a posting list") }
    at = low
    try settle(snapshot)
  }

  /// Moves to the next posting without setting `group`, for callers that go by ordinals only.
  @inline(__always)
  mutating func nextOrdinal() throws(LMDBError) {
    at &+= 1
    if at < postings { ordinal = ordinals[at] } else { try enterBlock(block + 1) }
  }

  /// Moves to the first posting whose ordinal is not less than `target`, never back, without setting `group`.
  @inline(__always)
  mutating func advance(toOrdinal target: UInt32) throws(LMDBError) {
    if !isFresh, ordinal >= target { return }
    if isFresh || lastOrdinal < target {
      try enterBlock(list.isIndexed ? list.seek(ordinal: target, from: block + 1, to: endBlock) : block + 1)
      if ordinal >= target { return }
      if lastOrdinal < target { return try enterBlock(endBlock) }
    }
    var low = at
    // A few steps first: among common terms the next match is near. The last of the block is not less, so both end.
    let near = min(low &+ 6, postings &- 1)
    while low < near, ordinals[low] < target { low &+= 1 }
    if ordinals[low] < target {
      var count = postings &- low
      while count > 1 {
        let half = count / 2
        // Without a branch: it could not be predicted.
        low = ordinals[low &+ half &- 1] < target ? low &+ half : low
        count &-= half
      }
    }
    at = low
    ordinal = ordinals[low]
  }

  /// The highest score of a posting of a group further on, without decoding its block.
  mutating func bound(ofGroup target: UInt64, _ scorer: TermScorer) throws(LMDBError) -> Double {
    guard list.isIndexed, !isAtEnd else { return .infinity }
    var wanted = max(block, boundBlock)
    if list.lastGroup(wanted) < target {
      wanted = list.seek(group: target, from: wanted + 1, to: endBlock)
      if wanted >= endBlock { return 0 }
    }
    if wanted != boundBlock {
      blockBound = try list.bound(scorer, at: list.impactsOffset(wanted))
      boundBlock = wanted
    }
    return blockBound
  }

  /// Blocks of a slice up to which their own impacts are read, which are tighter than the list's.
  private static let fewBlocks = 4

  /// Finds a bound of the lengths of the cursor's documents.
  ///
  /// - Returns: The highest score of a posting of the cursor.
  mutating func prepare(_ scorer: TermScorer) throws(LMDBError) -> Double {
    var (best, shortest) = (0.0, UInt32.max)
    let isFew = list.isIndexed && endBlock - firstBlock <= Self.fewBlocks
    for block in isFew ? firstBlock..<endBlock : 0..<1 {
      try list.forEachImpact(at: isFew ? list.impactsOffset(block) : list.impactsOffset) { frequency, length in
        best = max(best, scorer.score(frequency, length))
        shortest = min(shortest, length)
      }
    }
    shortestLength = shortest
    return best
  }

  /// Moves to the first posting from `target` on whose score exceeds `limit`, never back. Skips whole blocks, and looks up a
  /// length only if the frequency would be enough in the shortest document.
  ///
  /// - Parameter limit: Not less than in an earlier call.
  mutating func advance(
    toGroup target: UInt64, exceeding limit: Double, _ scorer: TermScorer, _ snapshot: Snapshot
  ) throws(LMDBError) {
    if isAtEnd { return }
    while leastFrequency < UInt32(UInt16.max), scorer.score(leastFrequency, shortestLength) <= limit {
      leastFrequency += 1
    }
    while true {
      if frequencies == nil, leastFrequency > 1 { at = postings }
      while at < postings {
        guard frequency(at) >= leastFrequency else {
          at &+= 1
          continue
        }
        let ordinal = ordinals[at]
        let length = try chunk(ordinal, snapshot).length(FieldReader.place(ordinal))
        if scorer.score(frequency(at), length) > limit {
          try settle(snapshot)
          if group >= target { return }
        }
        at &+= 1
      }
      var next = block + 1
      while next < endBlock, try list.bound(scorer, at: list.impactsOffset(next)) <= limit { next += 1 }
      try enter(next, snapshot)
      if isAtEnd { return }
    }
  }

  private mutating func settle(_ snapshot: Snapshot) throws(LMDBError) {
    ordinal = ordinals[at]
    group = try group(of: ordinal, snapshot)
  }

  private mutating func enter(_ number: Int, _ snapshot: Snapshot) throws(LMDBError) {
    try enterBlock(number)
    if isAtEnd { return }
    lastGroup = try groupAtEnd(snapshot)
    group = try group(of: ordinal, snapshot)
  }

  /// The last group of the block.
  private func groupAtEnd(_ snapshot: Snapshot) throws(LMDBError) -> UInt64 {
    list.isIndexed && (upper == .max || block < endBlock - 1)
      ? list.lastGroup(block) : try group(of: lastOrdinal, snapshot)
  }

  /// Moves to the first posting of a block without setting `group`; past the last block it becomes `UInt64.max`.
  private mutating func enterBlock(_ number: Int) throws(LMDBError) {
    block = number
    at = 0
    guard number < endBlock else {
      postings = 0
      ordinal = .max
      lastOrdinal = .max
      group = .max
      lastGroup = .max
      return
    }
    let found = try list.block(number)
    try decode(found)
    postings = found.postings
    if list.isIndexed, ordinals[postings &- 1] != list.lastOrdinal(number) { throw .damagedWords("a posting list") }
    // The ends of a slice lie inside blocks.
    if number == firstBlock, lower > 0 {
      while at < postings, ordinals[at] < lower { at &+= 1 }
    }
    if number == endBlock - 1, upper < .max {
      while postings > at, ordinals[postings &- 1] >= upper { postings &-= 1 }
    }
    if at >= postings { return try enterBlock(number + 1) }
    ordinal = ordinals[at]
    lastOrdinal = ordinals[postings &- 1]
  }

  private mutating func decode(_ found: PostingList.Block) throws(LMDBError) {
    var ordinal = found.previous
    let data = found.data
    switch found.gapCode {
    case 1:
      for index in 0..<found.postings {
        ordinal &+= Int64(data.integer(at: index, as: UInt8.self)) &+ 1
        ordinals[index] = UInt32(truncatingIfNeeded: ordinal)
      }
    case 2:
      for index in 0..<found.postings {
        ordinal &+= Int64(data.integer(at: index &* 2, as: UInt16.self)) &+ 1
        ordinals[index] = UInt32(truncatingIfNeeded: ordinal)
      }
    default:
      for index in 0..<found.postings {
        ordinal &+= Int64(data.integer(at: index &* 4, as: UInt32.self)) &+ 1
        ordinals[index] = UInt32(truncatingIfNeeded: ordinal)
      }
    }
    // Sums in 64 bits only rise, so it is enough to check the last.
    guard ordinal < Int64(field.count) else { throw .damagedWords("a posting list") }
    frequencyCode = found.frequencyCode
    frequencies = frequencyCode == 0 ? nil : data + found.postings &* PostingFormat.width(found.gapCode)
  }
}

/// The buffers of a search's cursors, in one allocation.
final class CursorMemory {
  private let words: UnsafeMutablePointer<UInt32>

  init(_ cursors: Int) {
    words = .allocate(capacity: max(1, cursors) * PostingCursor.bufferCount)
  }

  deinit {
    words.deallocate()
  }

  func buffer(_ cursor: Int) -> UnsafeMutablePointer<UInt32> { words + cursor * PostingCursor.bufferCount }
}
