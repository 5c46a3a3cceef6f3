import LMDB

/// A place among the postings of a term in one segment, moving forward.
///
/// Plain memory, so that a query's cursors lie side by side and move without reference counts: whoever makes one keeps the
/// field's reader and the buffer alive.
struct PostingCursor {
  /// Words of buffer a cursor needs.
  static let bufferCount = PostingFormat.blockCount

  unowned(unsafe) let field: FieldReader
  let list: PostingList
  private let ordinals: UnsafeMutablePointer<UInt32>
  /// Of its block, as they lie: few of them are ever asked for.
  private var frequencies: UnsafeRawPointer?
  private var frequencyCode: UInt8 = 0
  /// -1 before the first move.
  private(set) var block = -1
  private(set) var at = 0
  /// Of its block.
  private(set) var postings = 0
  /// Of the posting that a move by groups reached; `UInt64.max` behind the last.
  private(set) var group: UInt64 = 0
  /// `UInt32.max` behind the last, which no document has.
  private(set) var ordinal: UInt32 = 0
  /// Of its block.
  private(set) var lastGroup: UInt64 = 0
  private var lastOrdinal: UInt32 = 0

  /// The block that `bound` looked at last, and what it gave.
  private var boundBlock = -1
  private var blockBound = 0.0

  /// No document of the list is shorter; known once `prepare` was called.
  private var shortestLength: UInt32 = 0
  /// In the shortest document fewer do not exceed the last limit.
  private var leastFrequency: UInt32 = 1

  init(_ list: PostingList, _ field: FieldReader, buffer: UnsafeMutablePointer<UInt32>) {
    self.list = list
    self.field = field
    ordinals = buffer
  }

  var isAtEnd: Bool { block >= list.blocks }
  @inline(__always)
  var frequency: UInt32 { frequency(at) }

  /// Of a posting of its block.
  @inline(__always)
  func frequency(_ index: Int) -> UInt32 {
    guard let frequencies else { return 1 }
    return switch frequencyCode {
    case 1: UInt32(frequencies.load8(index)) &+ 1
    case 2: UInt32(frequencies.load16(index &* 2)) &+ 1
    default: frequencies.load32(index &* 4) &+ 1
    }
  }

  /// The sum of the frequencies of some postings of its block.
  @inline(__always)
  func frequencies(_ range: Range<Int>) -> Int {
    guard let frequencies else { return range.count }
    var sum = range.count
    if frequencyCode == 1 {
      for index in range { sum &+= Int(frequencies.load8(index)) }
    } else {
      for index in range { sum &+= Int(frequency(index)) &- 1 }
    }
    return sum
  }

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
    if let ordinal = field.ordinal(of: target) { return try advance(toOrdinal: ordinal, of: target) }
    try advanceFar(toGroup: target)
  }

  /// Moves by groups where the ordinal of the group's context is known, which spares looking for it.
  private mutating func advance(toOrdinal target: UInt32, of known: UInt64) throws(LMDBError) {
    let before = block
    try advance(toOrdinal: target)
    if isAtEnd { return }
    if block != before { lastGroup = try groupAtEnd() }
    group = ordinal == target ? known : try field.group(ordinal)
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
    if at < postings { ordinal = ordinals[at] } else { try enterBlock(block + 1) }
  }

  /// Moves to the first posting whose ordinal is not less than `target`, never back. Leaves `group` as it is.
  @inline(__always)
  mutating func advance(toOrdinal target: UInt32) throws(LMDBError) {
    if block >= 0, ordinal >= target { return }
    if block < 0 || lastOrdinal < target {
      try enterBlock(list.isIndexed ? list.seek(ordinal: target, from: block + 1) : block + 1)
      if ordinal >= target { return }
      if lastOrdinal < target { return try enterBlock(list.blocks) }
    }
    var low = at
    // A few steps first: among common terms the next match is near. The last of the block is not less, so both end.
    let near = min(low &+ 6, postings &- 1)
    while low < near, ordinals[low] < target { low &+= 1 }
    if ordinals[low] < target {
      var count = postings &- low
      while count > 1 {
        let half = count / 2
        // Without a branch: where the target is nobody can guess.
        low = ordinals[low &+ half &- 1] < target ? low &+ half : low
        count &-= half
      }
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

  /// Learns how short the list's documents are.
  ///
  /// - Returns: What a posting of the list scores at most.
  mutating func prepare(_ scorer: TermScorer) throws(LMDBError) -> Double {
    var (best, shortest) = (0.0, UInt32.max)
    try list.forEachImpact(at: list.impactsOffset) { frequency, length in
      best = max(best, scorer.score(frequency, length))
      shortest = min(shortest, length)
    }
    shortestLength = shortest
    return best
  }

  /// Moves to the first posting of `target` or behind whose score exceeds `limit`, never back. Leaves out whole blocks, and
  /// looks up lengths only where the frequency is enough in the shortest document.
  ///
  /// - Parameter limit: Not less than in an earlier call.
  mutating func advance(toGroup target: UInt64, exceeding limit: Double, _ scorer: TermScorer) throws(LMDBError) {
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
        let length = try field.chunk(ordinal).length(FieldReader.place(ordinal))
        if scorer.score(frequency(at), length) > limit {
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
    try enterBlock(number)
    if isAtEnd { return }
    lastGroup = try groupAtEnd()
    group = try field.group(ordinal)
  }

  /// The last group of the block.
  private func groupAtEnd() throws(LMDBError) -> UInt64 {
    list.isIndexed ? list.lastGroup(block) : try field.group(lastOrdinal)
  }

  /// Stands at the first posting of a block, and leaves `group` as it is unless that is behind the last.
  private mutating func enterBlock(_ number: Int) throws(LMDBError) {
    block = number
    at = 0
    guard number < list.blocks else {
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
    ordinal = ordinals[0]
    lastOrdinal = ordinals[postings &- 1]
    if list.isIndexed, lastOrdinal != list.lastOrdinal(number) { throw .damagedWords("a posting list") }
  }

  private mutating func decode(_ found: PostingList.Block) throws(LMDBError) {
    var ordinal = found.previous
    let data = found.data
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
    frequencyCode = found.frequencyCode
    frequencies = frequencyCode == 0 ? nil : data + found.postings &* PostingFormat.width(found.gapCode)
  }
}
