import Heaps
import TestSupport
import Testing

@Suite struct `Best first` {
  @Test(arguments: [0, 1, 2, 3, 10, 257]) func `takes elements out in the order of their ranking`(_ count: Int) {
    var random = SeededGenerator(seed: UInt64(count))
    let elements = (0..<count).map { Scored($0, score: Double(Int.random(in: 0..<50, using: &random))) }
    var rest = BestFirst(elements)
    var taken: [Scored<Int>] = []
    while let best = rest.popFirst() {
      taken.append(best)
      #expect(rest.count == count - taken.count)
    }
    #expect(taken == elements.sorted { $0.precedes($1) })
  }
}
