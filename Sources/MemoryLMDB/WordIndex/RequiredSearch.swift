import Heaps
import LMDB

/// Ranks groups by phrases and prefixes that must all be in one document, and words that may be.
struct RequiredSearch {
  private struct Hit {
    var group: UInt64
    /// 0 for a context.
    var field: UInt8
    var member: UInt64
    var score: Double
  }

  private let query: WordQuery
  private let contexts: RequiredMatches?
  private let steps: RequiredMatches?

  /// - Parameter query: Requires something.
  /// - Throws: `.invalid` for a prefix that is too long, `.damaged`.
  init(_ query: WordQuery, _ snapshot: WordSnapshot, _ manifest: WordManifest) throws(LMDBError) {
    self.query = query
    let terms = try RequiredTerms(query)
    contexts = try RequiredMatches(terms, CorpusReader(snapshot, manifest, .context))
    steps = try RequiredMatches(terms, CorpusReader(snapshot, manifest, .steps))
  }

  func best(_ limit: Int, admits: (UInt64) -> Bool) throws(LMDBError) -> [GroupScore] {
    var best = TopK<GroupScore>(limit)
    if steps == nil {
      // A group is one document then, so its score is known without the others.
      try contexts?.forEachDocument { group, _, score in
        if score >= best.threshold, admits(group) { best.insert(context(group, score)) }
        return best.threshold
      }
      return best.ranked()
    }
    forEachGroup(try hits()) { score in
      if score.total >= best.threshold, admits(score.group) { best.insert(score) }
    }
    return best.ranked()
  }

  /// The scores of those of some groups that match, ascending by group.
  func scores(of groups: Set<UInt64>) throws(LMDBError) -> [GroupScore] {
    var scores: [GroupScore] = []
    forEachGroup(try hits().filter { groups.contains($0.group) }) { scores.append($0) }
    return scores
  }

  private func context(_ group: UInt64, _ score: Double) -> GroupScore {
    GroupScore(group: group, context: score, steps: [], stepWeight: query.stepWeight)
  }

  private func hits() throws(LMDBError) -> [Hit] {
    var hits: [Hit] = []
    for (field, matches) in [contexts, steps].enumerated() {
      try matches?.forEachDocument { group, member, score in
        hits.append(Hit(group: group, field: UInt8(truncatingIfNeeded: field), member: member, score: score))
        return -.infinity
      }
    }
    hits.sort { a, b in a.group != b.group ? a.group < b.group : (a.field, a.member) < (b.field, b.member) }
    return hits
  }

  private func forEachGroup(_ hits: [Hit], _ visit: (GroupScore) -> Void) {
    var start = 0
    while start < hits.count {
      var end = start + 1
      while end < hits.count, hits[end].group == hits[start].group { end += 1 }
      visit(score(hits[start..<end]))
      start = end
    }
  }

  private func score(_ hits: ArraySlice<Hit>) -> GroupScore {
    var (group, context): (UInt64, Double) = (0, 0)
    var steps: [GroupScore.Step] = []
    for hit in hits {
      group = hit.group
      if hit.field == 0 {
        context = hit.score
      } else {
        steps.append(GroupScore.Step(member: hit.member, score: hit.score))
      }
    }
    return GroupScore(
      group: group, context: context, steps: GroupScore.best(steps, query.stepsPerGroup), stepWeight: query.stepWeight)
  }
}
