import Heaps
import LMDB
import WordScoring

/// Ranks groups by phrases and prefixes that must all be in one document, and words that may be.
struct RequiredSearch: ~Escapable {
  private struct Hit {
    var name: WordDocument
    var score: Double
  }

  private let snapshot: Snapshot
  private let query: WordQuery
  /// `nil` if no document of the field meets all requirements.
  private let parents: RequiredMatches?
  private let children: RequiredMatches?

  /// - Returns: `nil` if the query requires nothing.
  @_lifetime(copy snapshot)
  init?(_ query: PreparedQuery, _ snapshot: Snapshot) {
    guard let required = query.required else { return nil }
    self.snapshot = snapshot
    self.query = query.query
    parents = required[0].mayMatch ? required[0] : nil
    children = required[1].mayMatch ? required[1] : nil
  }

  func best(_ limit: Int, admits: (UInt64) -> Bool) throws(LMDBError) -> [GroupScore] {
    var best = TopK<GroupScore>(limit)
    if children == nil {
      // A group is one document then, so its score is known without the others.
      try parents?.forEachDocument(snapshot) { name, score in
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
    try parents?.forEachDocument(snapshot) { name, score in
      hits.append(Hit(name: name, score: score))
      return -.infinity
    }
    try children?.forEachDocument(snapshot) { name, score in
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

/// What a query requires, phrases and then prefixes.
struct Requirements {
  private let phrases: [[[UInt8]]]
  private let prefixes: [[UInt8]]

  /// - Throws: `.invalid` for a prefix longer than `Key.longestPrefix`.
  init(_ query: WordQuery) throws(LMDBError) {
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

  /// The live documents of a slice that meet a requirement, by ordinal.
  func matches(
    of index: Int, in slice: FieldSlice, _ snapshot: Snapshot
  ) throws(LMDBError) -> [RequiredMatch] {
    if index < phrases.count { return try PhraseMatcher.matches(of: phrases[index], in: slice, snapshot) }
    return try PrefixMatcher.matches(of: prefixes[index - phrases.count], in: slice, snapshot)
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
struct RequiredMatches {
  private let terms: Requirements
  private let words: QueryTerms
  private let corpus: Corpus
  /// By requirement, then by slice.
  let matches: [[[RequiredMatch]]]
  private let scorers: [TermScorer]
  private let wordScorers: [TermScorer]
  /// By word, then by slice.
  private let wordLists: [[PostingList?]]
  /// How many documents meet each requirement.
  let having: [Int]

  /// Whether each requirement is met by a document.
  var mayMatch: Bool { having.allSatisfy { $0 > 0 } }

  init(
    _ terms: Requirements, _ words: QueryTerms, _ corpus: Corpus, _ postings: [TermPostings], _ snapshot: Snapshot
  ) throws(LMDBError) {
    var matches: [[[RequiredMatch]]] = []
    var scorers: [TermScorer] = []
    var having: [Int] = []
    for index in 0..<terms.count {
      var own: [[RequiredMatch]] = []
      for slice in corpus.slices { own.append(try terms.matches(of: index, in: slice, snapshot)) }
      let count = own.reduce(0) { $0 + $1.count }
      matches.append(own)
      having.append(count)
      scorers.append(try corpus.scorer(having: count))
    }
    var wordScorers: [TermScorer] = []
    var wordLists: [[PostingList?]] = []
    for found in postings {
      wordScorers.append(try corpus.scorer(having: found.having))
      var lists = [PostingList?](repeating: nil, count: corpus.slices.count)
      for (slice, list) in found.lists { lists[slice] = list }
      wordLists.append(lists)
    }
    self.terms = terms
    self.words = words
    self.corpus = corpus
    self.matches = matches
    self.scorers = scorers
    self.wordScorers = wordScorers
    self.wordLists = wordLists
    self.having = having
  }

  /// Visits documents with their scores, slice by slice, in each by ordinal.
  ///
  /// - Parameter visit: Returns the score that later documents must reach; ones that do not may be skipped.
  func forEachDocument(
    _ snapshot: Snapshot, _ visit: (_ name: WordDocument, _ score: Double) throws(LMDBError) -> Double
  ) throws(LMDBError) {
    var least = -Double.infinity
    for slice in corpus.slices.indices where !matches.contains(where: { $0[slice].isEmpty }) {
      try visitSlice(slice, &least, snapshot, visit)
    }
  }

  private func visitSlice(
    _ number: Int, _ least: inout Double, _ snapshot: Snapshot,
    _ visit: (_ name: WordDocument, _ score: Double) throws(LMDBError) -> Double
  ) throws(LMDBError) {
    let slice = corpus.slices[number]
    let reader = slice.reader
    let memory = CursorMemory(wordLists.count)
    var cursors = wordLists.enumerated().map { index, lists in
      lists[number].map { PostingCursor($0, in: slice, buffer: memory.buffer(index)) }
    }
    var wordBound = 0.0
    for term in words.order {
      if let list = wordLists[term][number] {
        wordBound += try list.bound(wordScorers[term], at: list.impactsOffset)
      }
    }
    var parts = [Double](repeating: 0, count: wordLists.count)
    try forEachMeeting(number) { ordinal, frequencies throws(LMDBError) in
      // Bounds are added in another order than scores: the factor allows for the rounding.
      if (bound(frequencies) + wordBound) * (1 + 1e-12) < least { return }
      let chunk = try reader.chunk(ordinal, snapshot)
      let place = FieldReader.place(ordinal)
      let length = chunk.length(place)
      var sum = 0.0
      for index in cursors.indices {
        try cursors[index]?.advance(toOrdinal: ordinal)
        let isThere = cursors[index]?.ordinal == ordinal
        parts[index] = isThere ? wordScorers[index].score(cursors[index]?.frequency ?? 0, length) : 0
      }
      for term in words.order { sum += parts[term] }
      for index in scorers.indices { sum += scorers[index].score(frequencies[index], length) }
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
    return sum
  }

  /// Visits the documents that meet all requirements, with their frequencies by requirement.
  @inline(__always)
  private func forEachMeeting(
    _ slice: Int,
    _ visit: (_ ordinal: UInt32, _ frequencies: UnsafeMutableBufferPointer<UInt32>) throws(LMDBError) -> Void
  ) throws(LMDBError) {
    let frequencies = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: matches.count)
    defer { frequencies.deallocate() }
    frequencies.initialize(repeating: 0)
    let lists = matches.map { $0[slice] }
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
