import Testing

@testable import EpisodicCLI

@Suite struct `A sparkline` {
  private let line = Sparkline(isUnicode: true)
  private let ascii = Sparkline(isUnicode: false)

  @Test func `has eight heights, and shows the least count that is not 0`() {
    #expect(line.counts([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█")
    #expect(line.counts([0, 1, 1000]) == "▁▂█" && line.counts([0, 0]) == "▁▁" && line.counts([]).isEmpty)
    #expect(ascii.counts([0, 1, 1000]) == "_.@")
  }

  @Test func `shows where nothing is known`() {
    #expect(line.values([0, nil, 0.5, 1], highest: 1) == "▁·▅█")
    #expect(ascii.values([0, nil, 1]) == "_-@" && line.values([nil]) == "·" && line.values([0]) == "▁")
  }

  @Test func `adds neighbours up to fit`() {
    #expect(line.counts(Array(repeating: 1, count: 100), width: 10) == "██████████")
    #expect(line.counts([1, 1, 0, 0, 2, 2], width: 3) == "▅▁█")
    #expect(line.values([1, nil, nil, nil], width: 2) == "█·")
  }
}

@Suite struct `Numbers of a page` {
  @Test func `are short and grouped`() {
    #expect([999, 9999, 12_345, 1_234_567, 100_000].map(Shown.count) == ["999", "9,999", "12.3k", "1.2M", "100k"])
    #expect([0, -1234, 1_000_000].map(Shown.grouped) == ["0", "-1,234", "1,000,000"])
    #expect([0, 999, 1500, 90_000, 7_200_000].map(Shown.duration) == ["0 ms", "999 ms", "1.5 s", "1.5 min", "2 h"])
    #expect([0, 1536, 3 << 30].map(Shown.bytes) == ["0 B", "1.5 KiB", "3 GiB"])
    #expect(Shown.tenths(.infinity) == "–" && Shown.coordinate(.nan) == "0" && Shown.percent(nil) == "–")
  }

  @Test(arguments: [
    (0.0, [0, 1]), (1, [0, 1]), (3, [0, 1, 2, 3]), (4, [0, 1, 2, 3, 4]), (29, [0, 10, 20, 30]),
    (1000, [0, 500, 1000]), (1001, [0, 500, 1000, 1500]), (.nan, [0, 1]),
  ])
  func `a scale has few round values from 0 to the highest`(highest: Double, ticks: [Double]) {
    #expect(Plot.ticks(to: highest) == ticks)
  }
}
