import LMDB

/// One term in one field over all segments, moving through the groups. Plain memory, as its cursors are.
struct RankedList {
  /// The term's number in the query.
  let term: Int
  let field: WordField
  let scorer: TermScorer
  /// What a document's score counts in its group's, at most: the term's places in the query, and for steps the weights.
  let weight: Double
  /// No group gets more from this list.
  let bound: Double
  /// In order of their segments' first groups: exhausted ones, then open ones, then those that are not needed yet.
  private let cursors: UnsafeMutablePointer<PostingCursor>
  private var first = 0
  private var opened = 0
  private let end: Int
  /// The next group; `UInt64.max` for none.
  private(set) var group: UInt64 = 0

  init(
    term: Int, field: WordField, scorer: TermScorer, weight: Double, cursors: UnsafeMutableBufferPointer<PostingCursor>,
    memory: UnsafeMutablePointer<PostingCursor>
  ) throws(LMDBError) {
    self.term = term
    self.field = field
    self.scorer = scorer
    self.weight = weight
    self.cursors = memory
    end = cursors.count
    var best = 0.0
    for index in cursors.indices { best = max(best, try cursors[index].prepare(scorer)) }
    bound = best * weight
  }

  /// Moves to the first group that is not less than `target`, never back.
  @inline(__always)
  mutating func advance(to target: UInt64) throws(LMDBError) {
    if group >= target, opened > 0 { return }
    for index in first..<opened { try cursors[index].advance(toGroup: target) }
    try settle(target)
  }

  /// What a group in front gets at most. Only contexts are looked at closely: they have one document.
  mutating func bound(of target: UInt64) throws(LMDBError) -> Double {
    guard field == .context, opened == first + 1,
      opened == end || cursors[opened].field.facts.firstGroup > target
    else { return bound }
    return min(bound, try cursors[first].bound(ofGroup: target, scorer) * weight)
  }

  /// Moves like `advance`, leaving out contexts that give no more than `limit`.
  mutating func advance(to target: UInt64, exceeding limit: Double) throws(LMDBError) {
    if group >= target { return }
    let least = limit / weight
    for index in first..<opened where cursors[index].group < target {
      try cursors[index].advance(toGroup: target, exceeding: least, scorer)
    }
    try settle(target)
  }

  private mutating func settle(_ target: UInt64) throws(LMDBError) {
    while true {
      var least = UInt64.max
      var index = first
      while index < opened {
        let group = cursors[index].group
        if group == .max {
          swap(first, index)
          first += 1
        } else if group < least {
          least = group
        }
        index += 1
      }
      guard opened < end, cursors[opened].field.facts.firstGroup <= least else {
        group = least
        return
      }
      try cursors[opened].advance(toGroup: target)
      opened += 1
    }
  }

  private func swap(_ a: Int, _ b: Int) {
    if a == b { return }
    let moved = cursors[a]
    cursors[a] = cursors[b]
    cursors[b] = moved
  }

  /// What a group can get in its present blocks, and the last group for which that holds.
  func window() throws(LMDBError) -> (bound: Double, end: UInt64) {
    var end = opened < self.end ? cursors[opened].field.facts.firstGroup &- 1 : UInt64.max
    var best = 0.0
    for index in first..<opened {
      let last = cursors[index].lastGroup
      // A group of steps may go on in the next block.
      if field == .steps, last <= group { return (bound, group) }
      end = min(end, field == .steps ? last - 1 : last)
      let list = cursors[index].list
      best = max(best, try list.bound(scorer, at: list.impactsOffset(cursors[index].block)))
    }
    return end < group ? (bound, group) : (best * weight, end)
  }

  /// bm25 of the present group's context; `nil` if it is dead.
  func contextScore() throws(LMDBError) -> Double? {
    for index in first..<opened where cursors[index].group == group {
      let ordinal = cursors[index].ordinal
      let chunk = try cursors[index].field.chunk(ordinal)
      let place = FieldReader.place(ordinal)
      if chunk.isDead(place) { continue }
      cursors[index].field.remember(ordinal, of: group)
      return scorer.score(cursors[index].frequency, chunk.length(place))
    }
    return nil
  }

  /// Moves past the present group and adds what its steps score.
  mutating func takeSteps(into scores: inout [StepPart]) throws(LMDBError) {
    let present = group
    for index in first..<opened {
      while cursors[index].group == present {
        let ordinal = cursors[index].ordinal
        let chunk = try cursors[index].field.chunk(ordinal)
        let place = FieldReader.place(ordinal)
        if !chunk.isDead(place) {
          let score = scorer.score(cursors[index].frequency, chunk.length(place))
          scores.append(StepPart(member: chunk.member(place), term: term, score: score))
        }
        try cursors[index].next()
      }
    }
    try settle(present)
  }
}
