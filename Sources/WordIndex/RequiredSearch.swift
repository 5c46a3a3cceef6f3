import Heaps
import LMDB
import WordScoring

/// Ranks groups by phrases and prefixes that must all be in one document, and words that may be.
struct RequiredSearch: ~Escapable {
  private struct Hit {
    var name: WordDocument
    var score: Double
  }

  private let query: WordQuery
  private let parents: RequiredMatches?
  private let children: RequiredMatches?

  /// - Parameter query: Requires something.
  /// - Throws: `.invalid` for a prefix that is too long; `.damaged`.
  @_lifetime(copy snapshot)
  init(_ query: WordQuery, _ snapshot: Snapshot) throws(LMDBError) {
    self.query = query
    let manifest = try snapshot.manifest()
    let terms = try RequiredTerms(query)
    parents = try RequiredMatches(terms, Corpus(.parent, manifest), snapshot)
    children = try RequiredMatches(terms, Corpus(.child, manifest), snapshot)
  }

  func best(_ limit: Int, admits: (UInt64) -> Bool) throws(LMDBError) -> [GroupScore] {
    var best = TopK<GroupScore>(limit)
    if children == nil {
      // A group is one document then, so its score is known without the others.
      try parents?.forEachDocument { name, score in
        let group = GroupScore(group: name.group, parent: score, children: [], query)
        if best.wouldKeep(group), admits(name.group) { best.insert(group) }
        return best.threshold
      }
      return best.ranked()
    }
    forEachGroup(try hits()) { group in
      if best.wouldKeep(group), admits(group.group) { best.insert(group) }
    }
    return best.ranked()
  }

  /// The scores of those of some groups that match, ascending by group.
  func scores(of groups: Set<UInt64>) throws(LMDBError) -> [GroupScore] {
    var scores: [GroupScore] = []
    forEachGroup(try hits().filter { groups.contains($0.name.group) }) { scores.append($0) }
    return scores
  }

  /// All matching documents, by group.
  private func hits() throws(LMDBError) -> [Hit] {
    var hits: [Hit] = []
    try parents?.forEachDocument { name, score in
      hits.append(Hit(name: name, score: score))
      return -.infinity
    }
    try children?.forEachDocument { name, score in
      hits.append(Hit(name: name, score: score))
      return -.infinity
    }
    hits.sort { a, b in a.name.group != b.name.group ? a.name.group < b.name.group : a.name < b.name }
    return hits
  }

  private func forEachGroup(_ hits: [Hit], _ visit: (GroupScore) -> Void) {
    var start = 0
    while start < hits.count {
      let group = hits[start].name.group
      var end = start + 1
      while end < hits.count, hits[end].name.group == group { end += 1 }
      var parent = 0.0
      var children: [GroupScore.Child] = []
      for hit in hits[start..<end] {
        switch hit.name.field {
        case .parent: parent = hit.score
        case .child: children.append(GroupScore.Child(member: hit.name.member, score: hit.score))
        }
      }
      visit(GroupScore(group: group, parent: parent, children: children, query))
      start = end
    }
  }
}

/// What a query requires, phrases and then prefixes, and the words that only add to the score.
private struct RequiredTerms {
  let words: QueryTerms
  private let phrases: [[[UInt8]]]
  private let prefixes: [[UInt8]]

  /// - Throws: `.invalid` for a prefix longer than `Key.longestPrefix`.
  init(_ query: WordQuery) throws(LMDBError) {
    words = QueryTerms(query.words)
    phrases = query.phrases.filter { !$0.isEmpty }.map { phrase in
      phrase.map { token in token.withUnsafeBytes { Key.term($0) } }
    }
    prefixes = query.prefixes.filter { !$0.isEmpty }
    if let prefix = prefixes.first(where: { $0.count > Key.longestPrefix }) {
      throw LMDBError(
        .invalid, message: "a prefix of \(prefix.count) bytes: the word index has \(Key.longestPrefix) of a word")
    }
  }

  var count: Int { phrases.count + prefixes.count }

  /// The live documents of a segment that meet a requirement, by ordinal.
  func matches(
    of index: Int, in reader: FieldReader, _ snapshot: Snapshot
  ) throws(LMDBError) -> [RequiredMatch] {
    if index < phrases.count { return try PhraseMatcher.matches(of: phrases[index], in: reader, snapshot) }
    return try PrefixMatcher.matches(of: prefixes[index - phrases.count], in: reader, snapshot)
  }

  /// The least length of a document that meets a requirement so often: phrases may overlap, but not begin at one place.
  @inline(__always)
  func leastLength(of index: Int, _ frequency: UInt32) -> UInt32 {
    index < phrases.count ? frequency &+ UInt32(truncatingIfNeeded: phrases[index].count &- 1) : frequency
  }
}

/// The documents of one field that meet every requirement of a query.
///
/// The statistics of a requirement take finding all of its documents, so all are found first. What is skipped is scoring
/// those whose frequencies alone exclude them from the best.
private struct RequiredMatches: ~Escapable {
  private let snapshot: Snapshot
  private let terms: RequiredTerms
  private let corpus: Corpus
  /// By requirement, then by segment.
  private let matches: [[[RequiredMatch]]]
  private let scorers: [TermScorer]
  private let wordScorers: [TermScorer]
  /// By word, then by segment.
  private let wordLists: [[PostingList?]]

  /// `nil` if no document meets one of the requirements.
  @_lifetime(copy snapshot)
  init?(_ terms: RequiredTerms, _ corpus: Corpus, _ snapshot: Snapshot) throws(LMDBError) {
    var matches: [[[RequiredMatch]]] = []
    var scorers: [TermScorer] = []
    for index in 0..<terms.count {
      var own: [[RequiredMatch]] = []
      for reader in corpus.readers { own.append(try terms.matches(of: index, in: reader, snapshot)) }
      let having = own.reduce(0) { $0 + $1.count }
      if having == 0 { return nil }
      matches.append(own)
      scorers.append(try corpus.scorer(having: having))
    }
    var wordScorers: [TermScorer] = []
    var wordLists: [[PostingList?]] = []
    for term in terms.words.terms {
      let found = try corpus.find(term, snapshot)
      wordScorers.append(try corpus.scorer(having: found.having))
      wordLists.append(corpus.readers.map { reader in found.lists.first { $0.reader === reader }?.list })
    }
    self.snapshot = snapshot
    self.terms = terms
    self.corpus = corpus
    self.matches = matches
    self.scorers = scorers
    self.wordScorers = wordScorers
    self.wordLists = wordLists
  }

  /// Visits documents with their scores, segment by segment, in each by ordinal.
  ///
  /// - Parameter visit: Returns the score that later documents must reach; ones that do not may be skipped.
  func forEachDocument(
    _ visit: (_ name: WordDocument, _ score: Double) throws(LMDBError) -> Double
  ) throws(LMDBError) {
    var least = -Double.infinity
    for segment in corpus.readers.indices where !matches.contains(where: { $0[segment].isEmpty }) {
      try visitSegment(segment, &least, visit)
    }
  }

  private func visitSegment(
    _ segment: Int, _ least: inout Double,
    _ visit: (_ name: WordDocument, _ score: Double) throws(LMDBError) -> Double
  ) throws(LMDBError) {
    let reader = corpus.readers[segment]
    let memory = CursorMemory(wordLists.count)
    var cursors = wordLists.enumerated().map { index, lists in
      lists[segment].map { PostingCursor($0, reader, buffer: memory.buffer(index)) }
    }
    var wordBound = 0.0
    for term in terms.words.order {
      if let list = wordLists[term][segment] {
        wordBound += try list.bound(wordScorers[term], at: list.impactsOffset)
      }
    }
    var parts = [Double](repeating: 0, count: wordLists.count)
    try forEachMeeting(segment) { ordinal, frequencies throws(LMDBError) in
      // Bounds are added in another order than scores: the factor allows for the rounding.
      if (bound(frequencies) + wordBound) * (1 + 1e-12) < least { return }
      let chunk = try reader.chunk(ordinal, snapshot)
      let place = FieldReader.place(ordinal)
      let length = chunk.length(place)
      // FTS5's order of addition: the conditions, the words, and once more the conditions as words.
      var sum = 0.0
      for index in scorers.indices { sum += scorers[index].score(frequencies[index], length) }
      if !terms.words.order.isEmpty {
        for index in cursors.indices {
          try cursors[index]?.advance(toOrdinal: ordinal)
          let isThere = cursors[index]?.ordinal == ordinal
          parts[index] = isThere ? wordScorers[index].score(cursors[index]?.frequency ?? 0, length) : 0
        }
        for term in terms.words.order { sum += parts[term] }
        for index in scorers.indices { sum += scorers[index].score(frequencies[index], length) }
      }
      if sum >= least { least = try visit(chunk.document(place, corpus.field), sum) }
    }
    withExtendedLifetime((memory, reader)) {}
  }

  /// The highest score of the requirements in the shortest document that can have such frequencies.
  @inline(__always)
  private func bound(_ frequencies: UnsafeMutableBufferPointer<UInt32>) -> Double {
    var sum = 0.0
    for index in scorers.indices {
      sum += scorers[index].score(frequencies[index], terms.leastLength(of: index, frequencies[index]))
    }
    return terms.words.order.isEmpty ? sum : 2 * sum
  }

  /// Visits the documents that meet all requirements, with their frequencies by requirement.
  @inline(__always)
  private func forEachMeeting(
    _ segment: Int,
    _ visit: (_ ordinal: UInt32, _ frequencies: UnsafeMutableBufferPointer<UInt32>) throws(LMDBError) -> Void
  ) throws(LMDBError) {
    let frequencies = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: matches.count)
    defer { frequencies.deallocate() }
    frequencies.initialize(repeating: 0)
    let lists = matches.map { $0[segment] }
    let rarest = lists.indices.min { lists[$0].count < lists[$1].count } ?? 0
    var places = [Int](repeating: 0, count: lists.count)
    candidates: for candidate in lists[rarest] {
      frequencies[rarest] = candidate.frequency
      for index in lists.indices where index != rarest {
        let place = gallop(from: places[index], to: lists[index].count) {
          lists[index][$0].ordinal < candidate.ordinal
        }
        if place == lists[index].count { return }
        places[index] = place
        let found = lists[index][place]
        if found.ordinal != candidate.ordinal { continue candidates }
        frequencies[index] = found.frequency
      }
      try visit(candidate.ordinal, frequencies)
    }
  }
}
