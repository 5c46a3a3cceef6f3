import Heaps
import LMDB

/// Ranks groups by words, any of which may match: MaxScore over the terms' lists, with the blocks' bounds.
///
/// Lists are sorted by what they can give. As the worst of the best groups rises, the lists whose bounds together cannot
/// reach it stop proposing groups; they are only asked about groups that others propose, and only while it can matter.
final class RankedSearch {
  private let query: WordQuery
  private let terms: QueryTerms
  private let corpora: [CorpusReader]
  private let memory: CursorMemory
  private let cursors: UnsafeMutableBufferPointer<PostingCursor>
  /// Ascending by bound.
  private let lists: UnsafeMutableBufferPointer<RankedList>
  /// Sums of the bounds before each list.
  private let sums: UnsafeMutableBufferPointer<Double>
  /// Scores of the present group's context by term. Not an array, because each access to one in a class is tracked.
  private let parts: UnsafeMutableBufferPointer<Double>
  /// Bounds are added in another order than scores; one list alone needs no allowance, and then ties can be skipped.
  private let slack: Double

  init(_ query: WordQuery, _ snapshot: WordSnapshot, _ manifest: WordManifest) throws(LMDBError) {
    self.query = query
    let terms = QueryTerms(query.words)
    let corpora = WordField.allCases.map { CorpusReader(snapshot, manifest, $0) }
    var found: [(term: Int, corpus: CorpusReader, lists: [(reader: FieldReader, list: PostingList)], having: Int)] = []
    for corpus in corpora {
      for (number, term) in terms.terms.enumerated() {
        let (lists, having) = try corpus.find(term)
        if having > 0 {
          let ordered = lists.sorted { $0.reader.facts.firstGroup < $1.reader.facts.firstGroup }
          found.append((number, corpus, ordered, having))
        }
      }
    }
    self.terms = terms
    self.corpora = corpora
    let count = found.reduce(0) { $0 + $1.lists.count }
    memory = CursorMemory(count)
    cursors = .allocate(capacity: count)
    lists = .allocate(capacity: found.count)
    parts = .allocate(capacity: terms.terms.count)
    parts.initialize(repeating: 0)
    sums = .allocate(capacity: found.count + 1)
    sums.initialize(repeating: 0)
    let isSingle = found.count == 1 && found[0].corpus.field == .context && terms.order.count == 1
    slack = isSingle ? 1 : 1 + 1e-12

    var place = 0
    var made: [RankedList] = []
    for entry in found {
      let start = place
      for (reader, list) in entry.lists {
        (cursors.baseAddress.map { $0 + place })?
          .initialize(to: PostingCursor(list, reader, buffer: memory.buffer(place)))
        place += 1
      }
      let own = UnsafeMutableBufferPointer(rebasing: cursors[start..<place])
      guard let base = own.baseAddress else { continue }
      var weight = Double(terms.multiplicity(entry.term))
      if entry.corpus.field == .steps { weight *= Self.stepFactor(query) }
      made.append(
        try RankedList(
          term: entry.term, field: entry.corpus.field, scorer: try entry.corpus.scorer(having: entry.having),
          weight: weight, cursors: own, memory: base))
    }
    made.sort { $0.bound < $1.bound }
    _ = lists.initialize(from: made)
    for (index, list) in made.enumerated() { sums[index + 1] = sums[index] + list.bound }
  }

  deinit {
    lists.deallocate()
    cursors.deallocate()
    sums.deallocate()
    parts.deallocate()
  }

  /// The sum of the weights of a group's steps.
  private static func stepFactor(_ query: WordQuery) -> Double {
    var (sum, weight) = (0.0, query.stepWeight)
    for _ in 0..<min(64, max(0, query.stepsPerGroup)) {
      sum += weight
      weight /= 2
    }
    return sum
  }

  // MARK: The best

  func best(_ limit: Int, admits: (UInt64) -> Bool) throws(LMDBError) -> [GroupScore] {
    var best = TopK<GroupScore>(limit)
    for index in lists.indices { try lists[index].advance(to: 0) }
    var essential = 0
    // Up to here the blocks' bounds were seen to let a group in.
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
      if let found = try evaluate(group, essential, threshold), found.total > threshold, admits(group) {
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

  /// What a group can get before the first of the present blocks ends, and where that is.
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

  /// Moves a list that proposes groups. The last one of contexts can leave out those that the others cannot lift.
  private func advance(
    _ index: Int, to group: UInt64, _ essential: Int, _ threshold: Double
  ) throws(LMDBError) {
    if essential == lists.count - 1, lists[index].field == .context {
      let limit = threshold / slack - sums[essential]
      if limit > 0 { return try lists[index].advance(to: group, exceeding: limit) }
    }
    try lists[index].advance(to: group)
  }

  /// The score of a group that lists from `essential` on propose; `nil` if it does not match or cannot exceed `threshold`.
  private func evaluate(_ group: UInt64, _ essential: Int, _ threshold: Double) throws(LMDBError) -> GroupScore? {
    for index in parts.indices { parts[index] = 0 }
    var known = 0.0
    for index in essential..<lists.count where lists[index].group == group { known += try take(index) }
    for index in (0..<essential).reversed() {
      if (known + sums[index + 1]) * slack <= threshold { return nil }
      if lists[index].group > group { continue }
      if lists[index].group < group {
        let bound = try lists[index].bound(of: group)
        if (known + bound + sums[index]) * slack <= threshold { return nil }
      }
      try lists[index].advance(to: group)
      if lists[index].group == group { known += try take(index) }
    }
    if known * slack <= threshold { return nil }
    return try score(group)
  }

  /// What the list at its present group gives, at most; the context's part is exact and kept.
  private func take(_ index: Int) throws(LMDBError) -> Double {
    if lists[index].field == .steps { return lists[index].bound }
    guard let score = try lists[index].contextScore() else { return 0 }
    parts[lists[index].term] = score
    return score * lists[index].weight
  }

  // MARK: Given ones

  /// - Parameter groups: Ascending, each once.
  func scores(of groups: [UInt64]) throws(LMDBError) -> [GroupScore] {
    var scores: [GroupScore] = []
    for group in groups where group != .max {
      for index in parts.indices { parts[index] = 0 }
      for index in lists.indices {
        try lists[index].advance(to: group)
        if lists[index].group == group { _ = try take(index) }
      }
      if let score = try self.score(group) { scores.append(score) }
    }
    return scores
  }

  // MARK: One group

  /// The score of a group at which its lists stand, with the context's parts known; `nil` if all that matches is dead.
  private func score(_ group: UInt64) throws(LMDBError) -> GroupScore? {
    var context = 0.0
    for term in terms.order { context += parts[term] }
    var stepParts: [StepPart] = []
    for index in lists.indices where lists[index].field == .steps && lists[index].group == group {
      try lists[index].takeSteps(into: &stepParts)
    }
    if context == 0, stepParts.isEmpty { return nil }
    let steps = stepParts.isEmpty ? [] : bestSteps(&stepParts)
    return GroupScore(group: group, context: context, steps: steps, stepWeight: query.stepWeight)
  }

  private func bestSteps(_ stepParts: inout [StepPart]) -> [GroupScore.Step] {
    stepParts.sort { ($0.member, $0.term) < ($1.member, $1.term) }
    var steps: [GroupScore.Step] = []
    var start = 0
    var shares = [Double](repeating: 0, count: parts.count)
    while start < stepParts.count {
      var end = start
      for index in shares.indices { shares[index] = 0 }
      while end < stepParts.count, stepParts[end].member == stepParts[start].member {
        shares[stepParts[end].term] = stepParts[end].score
        end += 1
      }
      var sum = 0.0
      for term in terms.order { sum += shares[term] }
      steps.append(GroupScore.Step(member: stepParts[start].member, score: sum))
      start = end
    }
    return GroupScore.best(steps, query.stepsPerGroup)
  }
}

extension GroupScore {
  /// The best of a group's steps, best first, equal ones by member.
  static func best(_ steps: [Step], _ limit: Int) -> [Step] {
    Array(steps.sorted { $0.score != $1.score ? $0.score > $1.score : $0.member < $1.member }.prefix(max(0, limit)))
  }
}
