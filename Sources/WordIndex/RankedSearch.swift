import Heaps
import LMDB

/// Ranks groups by words of which any may match: MaxScore over the terms' lists, with block maxima.
///
/// Lists are sorted by their bounds. As the threshold rises, the lists whose bounds together cannot reach it become
/// non-essential: they propose no groups, and are consulted only for groups that others propose, while they can matter.
struct RankedSearch: ~Escapable {
  private let snapshot: Snapshot
  // The cursors refer to its readers, and to their buffers, without owning them.
  private let query: PreparedQuery
  private let terms: QueryTerms
  private let memory: Memory
  /// Ascending by bound.
  private let lists: UnsafeMutableBufferPointer<RankedList>
  /// Sums of the bounds before each list.
  private let sums: UnsafeMutableBufferPointer<Double>
  /// Scores of the current group's parent by term.
  private let parts: UnsafeMutableBufferPointer<Double>
  /// Bounds are added in another order than scores, which the factor allows for. It is 1 for a single list of groups in order
  /// of rank: then groups with the threshold's score can be skipped.
  private let slack: Double
  /// Whether groups are visited in the order in which equal ones rank.
  private let isInOrderOfRank: Bool

  /// Plain memory for lists and cursors, which an array in a search would check and count at every access.
  private final class Memory {
    let buffers: CursorMemory
    let cursors: UnsafeMutablePointer<PostingCursor>
    let lists: UnsafeMutableBufferPointer<RankedList>
    let sums: UnsafeMutableBufferPointer<Double>
    let parts: UnsafeMutableBufferPointer<Double>
    /// Of the current group.
    var children: ChildScores

    init(cursors count: Int, lists listCount: Int, terms: Int) {
      buffers = CursorMemory(count)
      cursors = .allocate(capacity: max(1, count))
      lists = .allocate(capacity: listCount)
      sums = .allocate(capacity: listCount + 1)
      sums.initialize(repeating: 0)
      parts = .allocate(capacity: terms)
      parts.initialize(repeating: 0)
      children = ChildScores(terms: terms)
    }

    deinit {
      cursors.deallocate()
      lists.deallocate()
      sums.deallocate()
      parts.deallocate()
    }
  }

  @_lifetime(copy snapshot)
  init(_ query: PreparedQuery, _ snapshot: Snapshot) throws(LMDBError) {
    let terms = query.terms
    var found: [(term: Int, corpus: Corpus, postings: TermPostings)] = []
    for (corpus, postings) in zip(query.corpora, query.postings) {
      for (number, postings) in postings.enumerated() where postings.having > 0 {
        var ordered = postings
        ordered.lists.sort { corpus.slices[$0.slice].firstGroup < corpus.slices[$1.slice].firstGroup }
        found.append((number, corpus, ordered))
      }
    }
    let memory = Memory(
      cursors: found.reduce(0) { $0 + $1.postings.lists.count }, lists: found.count, terms: terms.terms.count)
    var place = 0
    var lists: [RankedList] = []
    for entry in found {
      let own = memory.cursors + place
      for (slice, list) in entry.postings.lists {
        let cursor = PostingCursor(list, in: entry.corpus.slices[slice], buffer: memory.buffers.buffer(place))
        (memory.cursors + place).initialize(to: cursor)
        place += 1
      }
      var weight = Double(terms.multiplicity(entry.term))
      if entry.corpus.field == .child { weight *= Self.childFactor(query.query) }
      lists.append(
        try RankedList(
          term: entry.term, field: entry.corpus.field,
          scorer: try entry.corpus.scorer(having: entry.postings.having), weight: weight, cursors: own,
          count: entry.postings.lists.count))
    }
    lists.sort { $0.bound < $1.bound }
    _ = memory.lists.initialize(from: lists)
    for (index, list) in lists.enumerated() { memory.sums[index + 1] = memory.sums[index] + list.bound }

    self.snapshot = snapshot
    self.query = query
    self.terms = terms
    self.memory = memory
    self.lists = memory.lists
    sums = memory.sums
    parts = memory.parts
    isInOrderOfRank = query.corpora.allSatisfy(\.isOfOnePartition)
    let isSingle = found.count == 1 && found[0].corpus.field == .parent && terms.order.count == 1
    slack = isSingle && isInOrderOfRank ? 1 : 1 + 1e-12
  }

  /// The sum of the weights of a group's children.
  private static func childFactor(_ query: WordQuery) -> Double {
    var (sum, weight) = (0.0, query.childWeight)
    for _ in 0..<min(64, max(0, query.childrenPerGroup)) {
      sum += weight
      weight /= 2
    }
    return sum
  }

  // MARK: The best groups

  func best(_ limit: Int, admits: (UInt64) -> Bool) throws(LMDBError) -> [GroupScore] {
    var best = TopK<GroupScore>(limit)
    for index in lists.indices { try lists[index].advance(to: 0, snapshot) }
    /// Lists before this one are non-essential.
    var essential = 0
    /// The bounds of the current blocks admit groups up to here.
    var windowEnd: UInt64?
    while true {
      var group = UInt64.max
      for index in essential..<lists.count { group = min(group, lists[index].group) }
      if group == .max { break }
      let threshold = best.threshold
      if threshold >= 0, windowEnd.map({ $0 < group }) ?? true {
        let (bound, end) = try window(essential)
        if bound * slack <= threshold {
          if end == .max { break }
          for index in essential..<lists.count { try advance(index, to: end + 1, essential, threshold) }
          continue
        }
        windowEnd = end
      }
      if let found = try evaluate(group, essential, threshold),
        isInOrderOfRank ? found.score > threshold : best.wouldKeep(found), admits(group)
      {
        best.insert(found)
        while essential < lists.count, sums[essential + 1] * slack <= best.threshold { essential += 1 }
        if best.threshold > threshold { windowEnd = nil }
      }
      for index in essential..<lists.count where lists[index].group == group {
        try advance(index, to: group + 1, essential, best.threshold)
      }
    }
    return best.ranked()
  }

  /// The highest score of groups up to `end`, where the first of the current blocks ends.
  private func window(_ essential: Int) throws(LMDBError) -> (bound: Double, end: UInt64) {
    var bound = sums[essential]
    var end = UInt64.max
    for index in essential..<lists.count where lists[index].group != .max {
      let window = try lists[index].window()
      bound += window.bound
      end = min(end, window.end)
    }
    return (bound, end)
  }

  /// Moves an essential list. If it is the only one, it skips parents that the other lists cannot lift over the threshold.
  private func advance(
    _ index: Int, to group: UInt64, _ essential: Int, _ threshold: Double
  ) throws(LMDBError) {
    if essential == lists.count - 1, lists[index].field == .parent {
      let limit = threshold / slack - sums[essential]
      if limit > 0 { return try lists[index].advance(to: group, exceeding: limit, snapshot) }
    }
    try lists[index].advance(to: group, snapshot)
  }

  /// The score of a group that an essential list proposes; `nil` if it does not match or cannot exceed `threshold`.
  private func evaluate(_ group: UInt64, _ essential: Int, _ threshold: Double) throws(LMDBError) -> GroupScore? {
    parts.update(repeating: 0)
    var known = 0.0
    for index in essential..<lists.count where lists[index].group == group { known += try take(index) }
    for index in (0..<essential).reversed() {
      if (known + sums[index + 1]) * slack <= threshold { return nil }
      if lists[index].group > group { continue }
      if lists[index].group < group {
        let bound = try lists[index].bound(of: group)
        if (known + bound + sums[index]) * slack <= threshold { return nil }
      }
      try lists[index].advance(to: group, snapshot)
      if lists[index].group == group { known += try take(index) }
    }
    if known * slack <= threshold { return nil }
    return try score(group)
  }

  /// The highest score of a list's current group; a parent's is exact, and kept in `parts`.
  private func take(_ index: Int) throws(LMDBError) -> Double {
    if lists[index].field == .child { return lists[index].bound }
    guard let score = try lists[index].parentScore(snapshot) else { return 0 }
    parts[lists[index].term] = score
    return score * lists[index].weight
  }

  // MARK: Given groups

  /// - Parameter groups: Ascending, each once.
  func scores(of groups: [UInt64]) throws(LMDBError) -> [GroupScore] {
    var scores: [GroupScore] = []
    for group in groups where group != .max {
      parts.update(repeating: 0)
      for index in lists.indices {
        try lists[index].advance(to: group, snapshot)
        if lists[index].group == group { _ = try take(index) }
      }
      if let score = try self.score(group) { scores.append(score) }
    }
    return scores
  }

  // MARK: One group

  /// The score of the group at which the lists are, with the parent's parts known; `nil` if all that matches is dead.
  private func score(_ group: UInt64) throws(LMDBError) -> GroupScore? {
    var parent = 0.0
    for term in terms.order { parent += parts[term] }
    memory.children.removeAll()
    for index in lists.indices where lists[index].field == .child && lists[index].group == group {
      try lists[index].takeChildren(into: &memory.children, snapshot)
    }
    let children = memory.children.scores(inOrderOf: terms)
    if parent == 0, children.isEmpty { return nil }
    return GroupScore(group: group, parent: parent, children: children, query.query)
  }
}
