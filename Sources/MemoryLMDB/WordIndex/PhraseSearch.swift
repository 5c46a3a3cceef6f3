import LMDB

/// Ranks groups by phrases that must all be in one document, and words that may be.
///
/// How rare a phrase is takes finding all of its documents, so there is nothing to skip: all that match are scored.
struct PhraseSearch {
  private struct Hit {
    var group: UInt64
    var field: WordField
    var member: UInt64
    var score: Double
  }

  private let query: WordQuery
  private let words: QueryTerms
  private let phrases: [[[UInt8]]]

  /// - Parameter query: Has a phrase of at least one token.
  init(_ query: WordQuery) {
    self.query = query
    words = QueryTerms(query.words)
    phrases = query.phrases.filter { !$0.isEmpty }.map { phrase in
      phrase.map { token in token.withUnsafeBytes { WordKey.term($0) } }
    }
  }

  /// Visits the groups that match, ascending.
  ///
  /// - Parameter wants: Whether a group with that total is of interest; only then its score is made.
  func forEachGroup(
    _ snapshot: WordSnapshot, _ manifest: WordManifest, wants: (_ group: UInt64, _ total: Double) -> Bool,
    _ visit: (GroupScore) -> Void
  ) throws(LMDBError) {
    var hits: [Hit] = []
    for field in WordField.allCases { try search(CorpusReader(snapshot, manifest, field), &hits) }
    hits.sort { a, b in
      a.group != b.group
        ? a.group < b.group : (a.field.rawValue, a.member) < (b.field.rawValue, b.member)
    }
    var start = 0
    while start < hits.count {
      var end = start + 1
      while end < hits.count, hits[end].group == hits[start].group { end += 1 }
      // A context alone, or a group whose steps have to be sorted first.
      let isPlain = end == start + 1 && hits[start].field == .context
      if !isPlain || wants(hits[start].group, hits[start].score) {
        let score = score(hits[start..<end])
        if isPlain || wants(score.group, score.total) { visit(score) }
      }
      start = end
    }
  }

  private func score(_ hits: ArraySlice<Hit>) -> GroupScore {
    var (group, context): (UInt64, Double) = (0, 0)
    var steps: [GroupScore.Step] = []
    for hit in hits {
      group = hit.group
      if hit.field == .context {
        context = hit.score
      } else {
        steps.append(GroupScore.Step(member: hit.member, score: hit.score))
      }
    }
    return GroupScore(
      group: group, context: context, steps: GroupScore.best(steps, query.stepsPerGroup), stepWeight: query.stepWeight)
  }

  private func search(_ corpus: CorpusReader, _ hits: inout [Hit]) throws(LMDBError) {
    // Matches by segment, then by phrase.
    var matches: [[[PhraseMatcher.Match]]] = []
    var having = [Int](repeating: 0, count: phrases.count)
    for reader in corpus.readers {
      var own: [[PhraseMatcher.Match]] = []
      for index in phrases.indices {
        let found = try PhraseMatcher.matches(of: phrases[index], in: reader)
        having[index] += found.count
        own.append(found)
      }
      matches.append(own)
    }
    if having.contains(0) { return }
    var phraseScorers: [TermScorer] = []
    for count in having { phraseScorers.append(try corpus.scorer(having: count)) }
    var wordScorers: [TermScorer] = []
    for term in words.terms { wordScorers.append(try corpus.scorer(having: try corpus.find(term).having)) }
    for (reader, own) in zip(corpus.readers, matches) where !own.contains(where: \.isEmpty) {
      try score(own, reader, phraseScorers, wordScorers, &hits)
    }
  }

  private func score(
    _ matches: [[PhraseMatcher.Match]], _ reader: FieldReader, _ phraseScorers: [TermScorer],
    _ wordScorers: [TermScorer], _ hits: inout [Hit]
  ) throws(LMDBError) {
    let memory = CursorMemory(words.terms.count)
    var cursors: [PostingCursor?] = []
    for (index, term) in words.terms.enumerated() {
      let list = try reader.find(term)
      cursors.append(list.map { PostingCursor($0, reader, buffer: memory.buffer(index)) })
    }
    var places = [Int](repeating: 0, count: matches.count)
    var parts = [Double](repeating: 0, count: words.terms.count)
    candidates: for first in matches[0] {
      for index in matches.indices.dropFirst() {
        while places[index] < matches[index].count, matches[index][places[index]].ordinal < first.ordinal {
          places[index] += 1
        }
        if places[index] == matches[index].count { break candidates }
        if matches[index][places[index]].ordinal != first.ordinal { continue candidates }
      }
      let chunk = try reader.chunk(first.ordinal)
      let place = FieldReader.place(first.ordinal)
      let length = chunk.length(place)
      // FTS5's order of addition: the conditions, the words, and once more the phrases as words.
      var sum = 0.0
      for index in matches.indices {
        let frequency = index == 0 ? first.frequency : matches[index][places[index]].frequency
        sum += phraseScorers[index].score(frequency, length)
      }
      if !words.order.isEmpty {
        for index in cursors.indices {
          try cursors[index]?.advance(toOrdinal: first.ordinal)
          let isThere = cursors[index].map { !$0.isAtEnd && $0.ordinal == first.ordinal } ?? false
          parts[index] = isThere ? wordScorers[index].score(cursors[index]?.frequency ?? 0, length) : 0
        }
        for term in words.order { sum += parts[term] }
        for index in matches.indices {
          let frequency = index == 0 ? first.frequency : matches[index][places[index]].frequency
          sum += phraseScorers[index].score(frequency, length)
        }
      }
      hits.append(Hit(group: chunk.group(place), field: reader.field, member: chunk.member(place), score: sum))
    }
    withExtendedLifetime((memory, reader)) {}
  }
}
