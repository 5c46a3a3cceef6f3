import AgentLedger
import StoreValues
import TestSupport
import Testing

@Suite struct `Samples` {
  private let clock = ManualClock()

  @Test func `samples of a series are read over a window, newest first`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    for value in 1...3 {
      try await ledger.record(.init(Double(value), of: .cpu, labels: ["host": "a"]))
      try await ledger.record(.init(Double(value * 10), of: .cpu, labels: ["host": "b", "zone": "z"]))
      clock.advance(by: .seconds(1))
    }
    func values(_ labels: [String: String], _ window: Ledger.Sample.Window) async throws -> [Double] {
      try await ledger.samples(of: .cpu, labels: labels, in: window).map(\.value)
    }
    #expect(try await values(["host": "a"], .last(.seconds(60))) == [3, 2, 1])
    #expect(try await values(["host": "b"], .last(.milliseconds(2001))) == [30, 20])
    #expect(try await values(["host": "c"], .last(.seconds(60))).isEmpty)
    let start = Timestamp(milliseconds: clock.now().milliseconds - 3000)
    let end = Timestamp(milliseconds: clock.now().milliseconds - 1000)
    #expect(try await values([:], .from(start, to: end)).sorted() == [1, 2, 10, 20])
    #expect(try await ledger.series(.cpu).map(\.labels) == [["host": "a"], ["host": "b", "zone": "z"]])
    #expect(try await ledger.series(labels: ["zone": "z"]).count == 1)
    #expect(try await ledger.series(.memory).isEmpty)
  }

  @Test(arguments: [1, 2, 3]) func `rates, percentiles and trends equal those computed from a plain list`(
    _ seed: UInt64
  ) async throws {
    var random = SeededGenerator(seed: seed)
    let ledger = try await Ledger.inMemory(clock: clock)
    let start = clock.now().milliseconds
    let list = (0..<500).map { _ in
      (
        at: start + Int64.random(in: 0..<10_000, using: &random),
        value: Double(Int.random(in: -50...50, using: &random))
      )
    }
    try await ledger.record(
      list.map { .init($0.value, of: "x", labels: ["k": "\($0.at % 3)"], at: .init(milliseconds: $0.at)) })
    for _ in 0..<40 {
      let from = start + Int64.random(in: -100...9000, using: &random)
      let to = from + Int64.random(in: 1...8000, using: &random)
      let label: String? = Bool.random(using: &random) ? "\(Int.random(in: 0...2, using: &random))" : nil
      let labels = label.map { ["k": $0] } ?? [:]
      let window = Ledger.Sample.Window.from(.init(milliseconds: from), to: .init(milliseconds: to))
      let inside = list.filter { (from..<to).contains($0.at) && (label == nil || label == "\($0.at % 3)") }
      func expect(_ summary: Ledger.Sample.Summary, _ values: [Double], _ shares: [Double]) {
        #expect(summary.count == values.count && summary.sum == values.reduce(0, +))
        #expect(summary.minimum == values.min() && summary.maximum == values.max())
        let sorted = values.sorted()
        let expected = shares.compactMap { share -> Double? in
          sorted.first { value in
            Double(sorted.count { $0 <= value }) >= share * Double(sorted.count)
          }
        }
        #expect(summary.percentiles.map(\.value) == expected)
      }
      let shares = [0, 0.5, 0.9, 1]
      let summary = try await ledger.summary(of: "x", labels: labels, in: window, percentiles: shares)
      expect(summary, inside.map(\.value), shares)
      #expect(summary.rate == summary.sum / (Double(to - from) / 1000))
      let step = Int64.random(in: 100...3000, using: &random)
      let trend = try await ledger.trend(
        of: "x", labels: labels, in: window, by: .milliseconds(step), percentiles: [0.5])
      #expect(trend.count == Int((to - from + step - 1) / step), "seed \(seed)")
      #expect(trend.last?.end.milliseconds == to)
      for part in trend {
        let values = inside.filter { (part.start.milliseconds..<part.end.milliseconds).contains($0.at) }.map(\.value)
        expect(part, values, [0.5])
      }
    }
  }

  @Test func `a value that is not finite is refused, and a window that ends before it starts`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    for value in [Double.nan, .infinity, -.infinity] {
      #expect(await refusal { try await ledger.record([.init(1, of: .cpu), .init(value, of: .cpu)]) } == .invalid)
    }
    #expect(await refusal { try await ledger.record(.init(1, of: "")) } == .invalid)
    #expect(await refusal { try await ledger.record(.init(1, of: "x", labels: ["": "y"])) } == .invalid)
    let now = clock.now()
    #expect(await refusal { try await ledger.summary(of: .cpu, in: .from(now, to: now)) } == .invalid)
    #expect(await refusal { try await ledger.summary(of: .cpu, in: .last(.zero)) } == .invalid)
    #expect(
      await refusal { try await ledger.summary(of: .cpu, in: .last(.seconds(1)), percentiles: [1.1]) } == .invalid)
    #expect(
      await refusal { try await ledger.trend(of: .cpu, in: .last(.seconds(86_400)), by: .milliseconds(1)) }
        == .limitExceeded)
    let empty = try await ledger.summary(of: .cpu, in: .last(.seconds(1)))
    #expect(empty.count == 0 && empty.mean == nil && empty.percentiles.isEmpty && empty.rate == 0)
    #expect(try await ledger.series().isEmpty)
  }
}
