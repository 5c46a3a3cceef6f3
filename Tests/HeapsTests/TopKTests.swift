import Heaps
import TestSupport
import Testing

@Suite struct `Top k` {
  /// The best `k` by sorting everything.
  func sorted(_ stream: [(id: Int, score: Double)], best k: Int) -> [Scored<Int>] {
    stream
      .filter { !$0.score.isNaN }
      .sorted { ($1.score, $0.id) < ($0.score, $1.id) }
      .prefix(max(0, k))
      .map { Scored($0.id, score: $0.score) }
  }

  @Test(arguments: [0, 1, 2, 3, 7, 10, 64, 1_000], 0..<20)
  func `keeps what sorting the whole stream would keep`(k: Int, seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    let length = Int.random(in: 0...400, using: &random)
    let levels = [2, 10, 1_000_000][seed % 3]  // few levels make many ties
    let ids = seed.isMultiple(of: 2) ? length : max(1, length / 2)  // odd seeds offer ids twice
    let stream = (0..<length).map { index in
      (id: index % max(1, ids), score: Double(Int.random(in: -levels...levels, using: &random)) / 8)
    }.shuffled(using: &random)
    var top = TopK<Scored<Int>>(k)
    for candidate in stream {
      top.insert(Scored(candidate.id, score: candidate.score))
      #expect(top.count <= k)
    }
    #expect(top.ranked() == sorted(stream, best: k))
  }

  @Test(arguments: 0..<10)
  func `the order of the stream does not show`(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    let stream = (0..<100).map { (id: $0, score: Double($0 % 5)) }
    var inOrder = TopK<Scored<Int>>(17)
    var shuffled = TopK<Scored<Int>>(17)
    for candidate in stream { inOrder.insert(Scored(candidate.id, score: candidate.score)) }
    for candidate in stream.shuffled(using: &random) { shuffled.insert(Scored(candidate.id, score: candidate.score)) }
    #expect(inOrder.ranked() == shuffled.ranked())
  }

  @Test func `of equal scores the smaller id wins and comes first`() {
    var top = TopK<Scored<String>>(2)
    for id in ["c", "b", "d", "a"] { top.insert(Scored(id, score: 1)) }
    #expect(top.ranked().map(\.id) == ["a", "b"])
  }

  @Test func `zeros of either sign are equal`() {
    var top = TopK<Scored<Int>>(1)
    top.insert(Scored(1, score: 0))
    top.insert(Scored(0, score: -0.0))
    #expect(top.ranked().map(\.id) == [0])
  }

  @Test(arguments: [Double.nan, -.nan, .signalingNaN])
  func `NaN never enters`(nan: Double) {
    var top = TopK<Scored<Int>>(3)
    let kept = [top.insert(Scored(1, score: nan)), top.insert(Scored(2, score: 5)), top.insert(Scored(3, score: nan))]
    #expect(kept == [false, true, false])
    #expect(top.ranked().map(\.id) == [2])
  }

  @Test func `infinities take their place in the order`() {
    var top = TopK<Scored<Int>>(3)
    for (id, score) in [(1, -Double.infinity), (2, 0), (3, .infinity)] { top.insert(Scored(id, score: score)) }
    #expect(top.ranked().map(\.id) == [3, 2, 1])
  }

  @Test(arguments: [0, -1, Int.min])
  func `a capacity of nothing keeps nothing`(capacity: Int) {
    var top = TopK<Scored<Int>>(capacity)
    let kept = top.insert(Scored(1, score: 1))
    #expect(!kept)
    #expect(top.ranked() == [])
    #expect(top.threshold == .infinity)
  }

  @Test func `a capacity beyond memory costs nothing until it is used`() {
    var top = TopK<Scored<Int>>(.max)
    top.insert(Scored(1, score: 1))
    #expect(top.ranked().map(\.id) == [1])
  }

  @Test func `the threshold is the worst score kept, once full`() {
    var top = TopK<Scored<Int>>(2)
    #expect(top.threshold == -.infinity)
    top.insert(Scored(1, score: 3))
    #expect(top.threshold == -.infinity)
    top.insert(Scored(2, score: 1))
    #expect(top.threshold == 1)
    top.insert(Scored(3, score: 2))
    #expect(top.threshold == 2)
    let kept = top.insert(Scored(4, score: 1.5))
    #expect(!kept)
    #expect(top.threshold == 2)
  }
}
