import LMDB
import WordScoring

/// One term in one field over all segments, moving through the groups. Trivial, as its cursors are.
struct RankedList {
  /// The term's number in the query.
  let term: Int
  let field: WordField
  /// The highest weight of a document's score in its group's: the term's occurrences in the query, for children times the
  /// sum of their weights.
  let weight: Double
  /// The highest score of a group in this list.
  let bound: Double
  private let scorer: TermScorer
  /// In order of their segments' first groups: exhausted ones, then open ones, then those not needed yet.
  private let cursors: UnsafeMutablePointer<PostingCursor>
  private var first = 0
  private var opened = 0
  private let end: Int
  /// The current group; `UInt64.max` past the last.
  private(set) var group: UInt64 = 0

  /// - Parameter cursors: Not empty; they belong to the search.
  init(
    term: Int, field: WordField, scorer: TermScorer, weight: Double, cursors: UnsafeMutablePointer<PostingCursor>,
    count: Int
  ) throws(LMDBError) {
    self.term = term
    self.field = field
    self.scorer = scorer
    self.weight = weight
    self.cursors = cursors
    end = count
    var best = 0.0
    for index in 0..<count { best = max(best, try cursors[index].prepare(scorer)) }
    bound = best * weight
  }

  /// Moves to the first group that is not less than `target`, never back.
  @inline(__always)
  mutating func advance(to target: UInt64, _ snapshot: Snapshot) throws(LMDBError) {
    if group >= target, opened > 0 { return }
    for index in first..<opened { try cursors[index].advance(toGroup: target, snapshot) }
    try settle(target, snapshot)
  }

  /// The highest score for a group further on. Tighter than `bound` for parents only: they are one document a group.
  mutating func bound(of target: UInt64) throws(LMDBError) -> Double {
    guard field == .parent, opened == first + 1, opened == end || cursors[opened].firstGroup > target
    else { return bound }
    return min(bound, try cursors[first].bound(ofGroup: target, scorer) * weight)
  }

  /// Moves like `advance`, skipping parents that give no more than `limit`.
  mutating func advance(to target: UInt64, exceeding limit: Double, _ snapshot: Snapshot) throws(LMDBError) {
    if group >= target { return }
    let least = limit / weight
    for index in first..<opened where cursors[index].group < target {
      try cursors[index].advance(toGroup: target, exceeding: least, scorer, snapshot)
    }
    try settle(target, snapshot)
  }

  /// Sets `group` to the least group of the cursors, opening those whose segments may have one that is less.
  private mutating func settle(_ target: UInt64, _ snapshot: Snapshot) throws(LMDBError) {
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
      guard opened < end, cursors[opened].firstGroup <= least else {
        group = least
        return
      }
      try cursors[opened].advance(toGroup: target, snapshot)
      opened += 1
    }
  }

  private func swap(_ a: Int, _ b: Int) {
    if a == b { return }
    let moved = cursors[a]
    cursors[a] = cursors[b]
    cursors[b] = moved
  }

  /// The highest score for groups up to `end`, by the impacts of the current blocks.
  func window() throws(LMDBError) -> (bound: Double, end: UInt64) {
    var end = opened < self.end ? cursors[opened].firstGroup &- 1 : UInt64.max
    var best = 0.0
    for index in first..<opened {
      let last = cursors[index].lastGroup
      // A group of children may continue in the next block.
      if field == .child, last <= group { return (bound, group) }
      end = min(end, field == .child ? last - 1 : last)
      let list = cursors[index].list
      best = max(best, try list.bound(scorer, at: list.impactsOffset(cursors[index].block)))
    }
    return end < group ? (bound, group) : (best * weight, end)
  }

  /// bm25 of the current group's parent; `nil` if it is dead.
  func parentScore(_ snapshot: Snapshot) throws(LMDBError) -> Double? {
    for index in first..<opened where cursors[index].group == group {
      let ordinal = cursors[index].ordinal
      let chunk = try cursors[index].chunk(ordinal, snapshot)
      let place = FieldReader.place(ordinal)
      if chunk.isDead(place) { continue }
      cursors[index].remember()
      return scorer.score(cursors[index].frequency, chunk.length(place))
    }
    return nil
  }

  /// Adds the scores of the current group's children, and moves past the group.
  mutating func takeChildren(into children: inout ChildScores, _ snapshot: Snapshot) throws(LMDBError) {
    let current = group
    for index in first..<opened {
      while cursors[index].group == current {
        let ordinal = cursors[index].ordinal
        let chunk = try cursors[index].chunk(ordinal, snapshot)
        let place = FieldReader.place(ordinal)
        if !chunk.isDead(place) {
          let score = scorer.score(cursors[index].frequency, chunk.length(place))
          children.add(score, to: chunk.member(place), by: term)
        }
        try cursors[index].next(snapshot)
      }
    }
    try settle(current, snapshot)
  }
}
