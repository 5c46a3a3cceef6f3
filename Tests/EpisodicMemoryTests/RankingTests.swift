import TestSupport
import Testing

@testable import EpisodicMemory

@Suite struct `Ranking` {
  private typealias Entry = RankingPool.Entry

  private static func entry(
    _ row: Int64, context: Double = 0, steps: [Double] = [], together: Double = 0, similarity: Double? = nil,
    place: SessionPlace? = nil, isInWindow: Bool = false, success: Double = 0, at time: Int64 = 0,
    isEligible: Bool = true
  ) -> RankingPool.Entry {
    let steps = steps.enumerated().map { (row: row * 100 + Int64($0.offset), score: $0.element) }
    return Entry(
      words: Candidates.Words(row: row, context: context, steps: steps), together: together, similarity: similarity,
      place: place, isInWindow: isInWindow, success: success, createdAt: Timestamp(milliseconds: time),
      passes: isEligible)
  }

  private func rank(
    _ entries: [RankingPool.Entry], _ legs: RankingPool.Legs = .words, information: Double = 10,
    _ ranking: Query.Ranking = .init()
  ) -> [(row: Int64, score: Double, shares: Hit.Shares)] {
    let pool = RankingPool(legs: legs, information: information, entries: entries)
    return pool.ranked(by: ranking).map { (entries[$0.place].row, $0.score, $0.shares) }
  }

  // MARK: Scale

  @Test func `an episode with all words of the question once in its context scores 1, whatever its success`() {
    for success in [0.0, 1] {
      #expect(rank([Self.entry(1, context: 10, success: success)]).map(\.score) == [1])
    }
    // A sum of idf whose rounding differs from that of the bm25.
    #expect(rank([Self.entry(1, context: 0.1 + 0.2)], information: 0.3).map(\.score) == [1])
    #expect(rank([Self.entry(1, context: 0.3)], information: 0.1 + 0.2).map(\.score) == [1])
    #expect(rank([Self.entry(1, context: 5)]).map(\.score) == [0.5])
  }

  @Test func `a vector alone scores its cosine, less than 0 as 0, the less similar last`() {
    let hits = rank(
      [Self.entry(1, similarity: -0.5), Self.entry(2, similarity: 0.75), Self.entry(3, similarity: -0.25)], .vector)
    #expect(hits.map(\.row) == [2, 3, 1])
    #expect(hits.map(\.score) == [0.75, 0, 0])
  }

  @Test func `dot products of more than 1 are divided by the best`() {
    let hits = rank([Self.entry(1, similarity: 4), Self.entry(2, similarity: 1)], .vector)
    #expect(hits.map(\.score) == [1, 0.25])
  }

  @Test func `a full match of the words with a similarity of 1 scores 1, and half of both scores half`() {
    let hits = rank([Self.entry(1, context: 10, similarity: 1), Self.entry(2, context: 5, similarity: 0.5)], .both)
    #expect(hits.map(\.row) == [1, 2])
    #expect(hits[0].score == 1 && abs(hits[1].score - 0.5) < 1e-12)
  }

  @Test func `words and a vector in a store without vectors score as words alone`() {
    #expect(rank([Self.entry(1, context: 5)], .both).map(\.score) == [0.5])
  }

  @Test func `scores are cut to 1, the order is not`() {
    let hits = rank([Self.entry(1, context: 15), Self.entry(2, context: 20)])
    #expect(hits.map(\.row) == [2, 1])
    #expect(hits.map(\.score) == [1, 1])
  }

  // MARK: Signals

  @Test func `each step counts half of the one before, and at most four count`() {
    let hits = rank([Self.entry(1, steps: [8, 4, 4, 4, 4])], information: 10)
    #expect(abs(hits[0].shares.steps - 0.15 * (8 + 2 + 1 + 0.5) / 10) < 1e-12)
  }

  @Test func `an episode of 1,000 equal steps scores less than twice one with a single such step`() {
    let hits = rank([Self.entry(1, steps: Array(repeating: 3, count: 1000)), Self.entry(2, steps: [3])])
    #expect(hits[0].row == 1 && hits[0].score < 2 * hits[1].score)
  }

  @Test func `an episode without a vector is scored by its words alone`() {
    let hits = rank([Self.entry(1, context: 10), Self.entry(2, context: 5, similarity: 0.2)], .both)
    #expect(hits.map(\.row) == [1, 2])
    #expect(hits[0].shares.vector == 0 && hits[1].shares.vector > 0)
  }

  @Test func `two episodes before and after a match are found through it, the nearer first`() {
    func member(_ row: Int64, _ context: Double = 0, isEligible: Bool = true) -> RankingPool.Entry {
      Self.entry(
        row, context: context,
        place: SessionPlace(session: 1, previous: row == 1 ? nil : row - 1, next: row == 7 ? nil : row + 1), at: row,
        isEligible: isEligible)
    }
    let hits = rank((1...7).map { member($0, $0 == 4 ? 5 : 0) } + [Self.entry(8)])
    #expect(hits.map(\.row) == [4, 5, 3, 6, 2, 7, 1])
    #expect(hits[1].shares == Hit.Shares(session: 0.15 * 0.5 + 0.4 * 0.5))
    #expect(hits[3].shares == Hit.Shares(session: 0.075 * 0.5 + 0.4 * 0.5))
    #expect(hits[5].shares == Hit.Shares(session: 0.4 * 0.5))
    // Through one that does not pass the filter, too.
    let filtered = rank((1...7).map { member($0, $0 == 4 ? 5 : 0, isEligible: $0 != 5) })
    #expect(filtered.map(\.row) == [4, 3, 6, 2, 7, 1])
  }

  @Test func `an episode that does not pass the filter is no hit and gives its session nothing`() {
    let hits = rank([
      Self.entry(1, place: SessionPlace(session: 1, previous: nil, next: 2)),
      Self.entry(2, context: 10, place: SessionPlace(session: 1, previous: 1, next: nil), isEligible: false),
      Self.entry(3, context: 1),
    ])
    #expect(hits.map(\.row) == [3])
  }

  @Test func `an episode gets a part of the best score of its session`() {
    func member(_ row: Int64, _ session: UInt32, _ context: Double) -> RankingPool.Entry {
      Self.entry(row, context: context, place: SessionPlace(session: session, previous: nil, next: nil))
    }
    let hits = rank([member(1, 1, 4), member(2, 1, 1), member(3, 2, 2.5), member(4, 2, 2.5)])
    let session = Dictionary(uniqueKeysWithValues: hits.map { ($0.row, $0.shares.session) })
    #expect(session == [1: 0.4 * 0.4, 2: 0.4 * 0.4, 3: 0.4 * 0.25, 4: 0.4 * 0.25])
  }

  @Test func `a time of the question adds to what matches, and alone lists what was then, newest first`() {
    let hits = rank([Self.entry(1, context: 5), Self.entry(2, context: 4, isInWindow: true)])
    #expect(hits.map(\.row) == [2, 1])
    #expect(abs(hits[0].shares.time - 0.4 * 0.5) < 1e-12)
    let alone = rank((1...3).map { Self.entry($0, isInWindow: true, at: $0) })
    #expect(alone.map(\.row) == [3, 2, 1] && alone.map(\.score) == [0.4, 0.4, 0.4])
  }

  @Test func `of attempts that match equally the one that worked comes first, then the newest`() {
    let hits = rank([
      Self.entry(1, context: 5, success: 1, at: 1), Self.entry(2, context: 5, at: 9), Self.entry(3, context: 5, at: 8),
    ])
    #expect(hits.map(\.row) == [1, 2, 3])
  }

  @Test func `of equal scores and times the last recorded comes first`() {
    #expect(rank([3, 1, 2].map { Self.entry($0, context: 5) }).map(\.row) == [3, 2, 1])
  }

  @Test(arguments: [RankingPool.Legs.words, .vector, .both])
  func `no candidates give no hits, and one that matches in nothing is none`(_ legs: RankingPool.Legs) {
    #expect(rank([], legs).isEmpty)
    #expect(rank([Self.entry(1, success: 1)], legs, information: 0).isEmpty)
  }

  @Test func `a weight of 0 switches its signal off`() {
    let entries = Self.randomPool(40, seed: 7)
    func sums(_ ranking: Query.Ranking) -> Hit.Shares {
      rank(entries, .both, ranking).reduce(into: Hit.Shares()) { sum, hit in
        sum.steps += hit.shares.steps
        sum.vector += hit.shares.vector
        sum.session += hit.shares.session
        sum.time += hit.shares.time
        sum.success += hit.shares.success
      }
    }
    let all = sums(.init())
    #expect([all.steps, all.vector, all.session, all.time, all.success].allSatisfy { $0 > 0 })
    #expect(sums(.init(stepWeight: 0, stepsTogetherWeight: 0)).steps == 0)
    #expect(sums(.init(vectorWeight: 0)).vector == 0)
    #expect(sums(.init(neighborWeight: 0, sessionWeight: 0)).session == 0)
    #expect(sums(.init(timeWeight: 0)).time == 0)
    #expect(sums(.init(successWeight: 0)).success == 0)
  }

  // MARK: Oracle

  private static func randomPool(_ count: Int, seed: UInt64) -> [RankingPool.Entry] {
    var generator = SeededGenerator(seed: seed)
    func chance(_ part: Double) -> Bool { Double.random(in: 0..<1, using: &generator) < part }
    func number(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &generator) }
    return (1...Int64(count)).map { row in
      let session = UInt32(row / 5 + 1)
      let place = SessionPlace(
        session: session, previous: row % 5 == 0 ? nil : row - 1, next: row % 5 == 4 ? nil : row + 1)
      return entry(
        row, context: chance(0.6) ? number(0...12) : 0,
        steps: chance(0.5)
          ? (0..<Int.random(in: 1...6, using: &generator)).map { _ in number(0...9) }.sorted(by: >) : [],
        together: chance(0.5) ? number(0...15) : 0, similarity: chance(0.8) ? number(-1...1) : nil,
        place: chance(0.8) ? place : nil, isInWindow: chance(0.2), success: chance(0.5) ? 1 : 0,
        at: Int64.random(in: 0...9, using: &generator), isEligible: chance(0.9))
    }
  }

  /// The sum as it was measured, over dictionaries, in the units in which words weigh 1/2.2.
  private func oracle(
    _ entries: [RankingPool.Entry], _ legs: RankingPool.Legs, information: Double, _ ranking: Query.Ranking
  ) -> [Int64: Double] {
    var match: [Int64: Double] = [:]
    for entry in entries where entry.isEligible {
      var words = entry.words.context + ranking.stepsTogetherWeight * entry.together
      for (place, step) in entry.words.steps.prefix(4).enumerated() {
        words += ranking.stepWeight / Double(1 << place) * step.score
      }
      words /= 2.2 * information
      let similarity = max(0, entry.similarity ?? 0)
      match[entry.row] =
        switch legs {
        case .words: words
        case .vector: similarity
        case .both:
          entry.similarity == nil ? words : (1 - ranking.vectorWeight) * words + ranking.vectorWeight * similarity
        }
    }
    let best = match.values.max() ?? 0
    let places = Dictionary(uniqueKeysWithValues: entries.compactMap { entry in entry.place.map { (entry.row, $0) } })
    var scores: [Int64: Double] = [:]
    for entry in entries where entry.isEligible {
      var score = match[entry.row] ?? 0
      if let place = entry.place {
        for neighbor in [place.previous, place.next] where neighbor.map({ places[$0] != nil }) ?? false {
          score += ranking.neighborWeight * (match[neighbor ?? 0] ?? 0)
        }
        for beyond in [
          place.previous.flatMap { places[$0] }?.previous, place.next.flatMap { places[$0] }?.next,
        ] where beyond.map({ places[$0] != nil }) ?? false {
          score += ranking.neighborWeight / 2 * (match[beyond ?? 0] ?? 0)
        }
        let session = entries.filter { $0.place?.session == place.session }.compactMap { match[$0.row] }.max() ?? 0
        score += ranking.sessionWeight * session
      }
      if entry.isInWindow { score += ranking.timeWeight * best }
      if match[entry.row] ?? 0 > 0 { score += ranking.successWeight * best * entry.success }
      scores[entry.row] = score
    }
    return scores
  }

  @Test(arguments: [RankingPool.Legs.words, .vector, .both], 1...20 as ClosedRange<UInt64>)
  func `scores and order are those of the plain sum of the signals`(_ legs: RankingPool.Legs, _ seed: UInt64) {
    var entries = Self.randomPool(60, seed: seed)
    let ranking = Query.Ranking(
      neighborWeight: 0.1 * Double(seed % 4), sessionWeight: 0.1 * Double(seed % 3),
      successWeight: 0.02 * Double(seed % 2))
    let expected = oracle(entries, legs, information: 14, ranking)
    let unit =
      switch legs {
      case .words: 2.2
      case .vector: 1.0
      case .both: 1 / ((1 - ranking.vectorWeight) / 2.2 + ranking.vectorWeight)
      }
    let hits = rank(entries, legs, information: 14, ranking)
    for hit in hits {
      #expect(abs(hit.shares.total - unit * (expected[hit.row] ?? -1)) < 1e-12)
      #expect(hit.score == min(1, hit.shares.total))
    }
    #expect(hits.map(\.shares.total) == hits.map(\.shares.total).sorted(by: >))
    let found = Set(hits.map(\.row))
    #expect(expected.allSatisfy { $0.value <= 0 || found.contains($0.key) })
    var generator = SeededGenerator(seed: seed)
    entries.shuffle(using: &generator)
    let again = rank(entries, legs, information: 14, ranking)
    #expect(again.map(\.row) == hits.map(\.row) && again.map(\.shares) == hits.map(\.shares))
  }
}
