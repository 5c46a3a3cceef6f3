import Testing
import TestSupport

@testable import EpisodicMemory

@Suite struct `Figures` {
  @Test func `quantiles of a histogram are those of the sorted values`() {
    var random = SeededGenerator(seed: 3)
    for count in [1, 2, 3, 19, 20, 21, 100, 1001] {
      var (one, other) = (Histogram(), Histogram())
      var values: [Int64] = []
      for _ in 0..<count {
        let value = Int64.random(in: 0..<[5, 20_000, .max][Int.random(in: 0..<3, using: &random)], using: &random)
        values.append(value)
        if Bool.random(using: &random) { one.add(value) } else { other.add(value) }
      }
      one.add(other)
      values.sort()
      #expect(one.quantiles?.count == count)
      #expect(one.quantiles?.median == values[(count + 1) / 2 - 1])
      #expect(one.quantiles?.p95 == values[(count * 95 + 99) / 100 - 1], "\(count)")
    }
    #expect(Histogram().quantiles == nil)
  }

  // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
  @Test(arguments: [
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718),
  ])
  func `a success rate has Wilson's interval`(successes: Int, count: Int, low: Double, high: Double) throws {
    let rate = try #require(Analytics.SuccessRate(successes: successes, of: count))
    #expect(abs(rate.low - low) < 5e-5 && abs(rate.high - high) < 5e-5, "\(rate)")
    #expect(Analytics.SuccessRate(successes: 0, of: 0) == nil)
  }

  @Test(arguments: [
    ("exit 127", "exit #"), ("", ""), ("\n  \nfirst\nsecond", "first"), ("\u{1B}[31mred\u{1B}[0m 5", "red #"),
    ("error: /home/a b/c.txt:12:5: no", "error: <path> b/c.txt:#:#: no".replacing("b/c.txt", with: "<path>")),
    ("cannot open ./x", "cannot open <path>"), ("and/or", "and/or"), ("1/2 done", "#/# done"),
    ("took 12.5ms, 3 of 4", "took #ms, # of #"), ("v1.2.3 is old", "v# is old"),
    ("commit 3f2a91c of deadbeef", "commit # of deadbeef"),
    ("id 019a2b3c-4d5e-7f00-8123-456789abcdef gone", "id # gone"), ("src/main.swift(12)", "<path>(#)"),
    ("C:\\work\\file not found", "C:<path> not found"), ("tab\tand  spaces", "tab and spaces"),
    ("GET https://a.example:8080/x?y=1 (refused)", "GET <url>:#/x?y=# (refused)"),
    ("could not apply 0c1dbd7... conflict in src/a.ts.", "could not apply #... conflict in <path>."),
    ("größer als 5 m²", "größer als # m²"),
  ])
  func `a message keeps what failures have in common`(result: String, message: String) {
    #expect(FailureMessage.normalized(result) == message)
  }

  @Test func `a message is cut at 120 characters, also inside of the bytes of one`() {
    let long = FailureMessage.normalized(String(repeating: "é", count: 400))
    #expect(long.count == 120 && long.hasSuffix("é…"))
    #expect(FailureMessage.normalized("a" + String(repeating: "👩‍👩‍👧", count: 28) + "x").hasPrefix("a👩‍👩‍👧"))
  }
}
