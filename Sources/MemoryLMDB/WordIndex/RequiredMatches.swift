import LMDB

/// The documents of one field that meet every requirement of a query.
///
/// How rare a requirement is takes finding all of its documents, so all are found first. What is left out is the scoring
/// of those whose frequencies alone say that they cannot be among the best.
struct RequiredMatches {
  private let corpus: CorpusReader
  private let terms: RequiredTerms
  /// By requirement, then by segment.
  private let matches: [[[RequiredMatch]]]
  private let scorers: [TermScorer]
  private let wordScorers: [TermScorer]
  /// By word, then by segment.
  private let wordLists: [[PostingList?]]

  /// `nil` if one of the requirements is met nowhere.
  init?(_ terms: RequiredTerms, _ corpus: CorpusReader) throws(LMDBError) {
    var matches: [[[RequiredMatch]]] = []
    var scorers: [TermScorer] = []
    for index in 0..<terms.count {
      var own: [[RequiredMatch]] = []
      var having = 0
      for reader in corpus.readers {
        own.append(try terms.matches(of: index, in: reader))
        having += own[own.count - 1].count
      }
      if having == 0 { return nil }
      matches.append(own)
      scorers.append(try corpus.scorer(having: having))
    }
    var wordScorers: [TermScorer] = []
    var wordLists: [[PostingList?]] = []
    for term in terms.words.terms {
      let found = try corpus.find(term)
      wordScorers.append(try corpus.scorer(having: found.having))
      wordLists.append(corpus.readers.map { reader in found.lists.first { $0.reader === reader }?.list })
    }
    self.terms = terms
    self.corpus = corpus
    self.matches = matches
    self.scorers = scorers
    self.wordScorers = wordScorers
    self.wordLists = wordLists
  }

  /// Visits documents with their scores, segment by segment, in each by ordinal.
  ///
  /// - Parameter visit: Returns the score that a document must have from then on to be of interest; ones with less may be
  ///   left out.
  func forEachDocument(
    _ visit: (_ group: UInt64, _ member: UInt64, _ score: Double) throws(LMDBError) -> Double
  ) throws(LMDBError) {
    var least = -Double.infinity
    for segment in corpus.readers.indices where !matches.contains(where: { $0[segment].isEmpty }) {
      try visitSegment(segment, &least, visit)
    }
  }

  private func visitSegment(
    _ segment: Int, _ least: inout Double,
    _ visit: (_ group: UInt64, _ member: UInt64, _ score: Double) throws(LMDBError) -> Double
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
      // Bounds are added in another order than scores: the allowance covers what rounding makes of that.
      if (bound(frequencies) + wordBound) * (1 + 1e-12) < least { return }
      let chunk = try reader.chunk(ordinal)
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
      if sum >= least { least = try visit(chunk.group(place), chunk.member(place), sum) }
    }
    withExtendedLifetime((memory, reader)) {}
  }

  /// What the requirements give a document at most, by the shortest one that can have such frequencies.
  @inline(__always)
  private func bound(_ frequencies: UnsafeMutableBufferPointer<UInt32>) -> Double {
    var sum = 0.0
    for index in scorers.indices {
      sum += scorers[index].score(frequencies[index], terms.leastLength(of: index, frequencies[index]))
    }
    return terms.words.order.isEmpty ? sum : 2 * sum
  }

  /// Visits the documents that meet all requirements, with how often they meet each.
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
        places[index] = Self.seek(candidate.ordinal, lists[index], from: places[index])
        if places[index] == lists[index].count { return }
        let found = lists[index][places[index]]
        if found.ordinal != candidate.ordinal { continue candidates }
        frequencies[index] = found.frequency
      }
      try visit(candidate.ordinal, frequencies)
    }
  }

  /// The first of some matches at or behind `start` whose ordinal is not less; in steps that double, then by halves.
  private static func seek(_ ordinal: UInt32, _ matches: [RequiredMatch], from start: Int) -> Int {
    var (low, step) = (start, 1)
    while low + step - 1 < matches.count, matches[low + step - 1].ordinal < ordinal {
      low += step
      step *= 2
    }
    var high = min(matches.count, low + step - 1)
    while low < high {
      let middle = (low + high) / 2
      if matches[middle].ordinal < ordinal { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
