import Foundation
import TestSupport
import Testing

@testable import EpisodicMemory

@Suite struct `An estimate of tokens` {
  @Test(arguments: countedTexts) func `errs by less than 15 % of what o200k_base counts`(
    _ name: String, _ tokens: Int, _ text: String
  ) {
    let estimate = TokenEstimate.count(text)
    #expect(abs(Double(estimate - tokens)) < 0.15 * Double(tokens), "\(name): \(estimate) for \(tokens)")
  }

  @Test func `of many texts together errs less`() {
    let text = countedTexts.map(\.text).joined(separator: "\n\n")
    let tokens = countedTexts.reduce(0) { $0 + $1.tokens }
    #expect(abs(TokenEstimate.count(text) - tokens) < tokens / 20)
  }

  @Test(arguments: [("", 0), (" ", 1), ("a", 1), ("\n", 1), ("\u{1B}[2J", 1), ("👩‍👩‍👧‍👦", 1), ("\u{301}\u{301}", 1)])
  func `is 0 only for the empty text`(_ text: String, _ least: Int) {
    let estimate = TokenEstimate.count(text)
    #expect(text.isEmpty ? estimate == 0 : (least...12).contains(estimate))
  }

  @Test(arguments: 0..<50 as Range<UInt64>) func `grows with the text, and hardly more than its parts together`(
    _ seed: UInt64
  ) {
    var random = SeededGenerator(seed: seed)
    let pieces = ["word", "HTTPServer", " ", "\n", "42", "größe", "漢字", "{", "}\n", "  ", "ü", "X", "\t", "é", "…"]
    var text = ""
    for _ in 0..<40 {
      let piece = pieces.randomElement(using: &random) ?? ""
      let before = TokenEstimate.count(text)
      text += piece
      // A run that grows may cost a little less than it did.
      #expect(
        TokenEstimate.count(text) >= before - 1 && TokenEstimate.count(text) <= before + 4, "\(text.debugDescription)")
    }
  }
}

@Suite struct `Hits within a number of tokens` {
  private static func hits(_ seed: UInt64, count: Int) -> [Hit] {
    var random = SeededGenerator(seed: seed)
    func text(_ most: Int) -> String {
      (0..<Int.random(in: 1...most, using: &random)).map { _ in
        ["the", "deployment", "failed", "größer", "x=1;", "漢字", "a1b2c3", "\n"].randomElement(using: &random) ?? ""
      }.joined(separator: " ")
    }
    return (0..<count).map { index in
      let steps = (1...Int.random(in: 1...12, using: &random)).map { number in
        Step(
          id: Step.ID("\(index)/\(number)"), number: number, action: text(30),
          result: Bool.random(using: &random) ? text(2000) : nil, success: Bool.random(using: &random),
          timestamp: Timestamp(milliseconds: 0))
      }
      let episode = Episode(
        id: Episode.ID("e\(index)"), taskType: .debugging, domain: "d", context: text(400), status: .completed,
        createdAt: Timestamp(milliseconds: 0), completedAt: Timestamp(milliseconds: 1), steps: steps)
      let matches = [Hit.Match(step: nil), Hit.Match(step: Int.random(in: 1...steps.count, using: &random))]
      var hit = Hit(episode: episode, score: 1 / Double(index + 1), shares: .init(), matches: matches)
      if Bool.random(using: &random) {
        hit.neighbors = Hit.Neighbors(before: [.sample("before", context: text(20))], after: [.sample("after")])
      }
      return hit
    }
  }

  @Test(arguments: 0..<30 as Range<UInt64>) func `cost at most that many, best first, and count what is left out`(
    _ seed: UInt64
  ) {
    let hits = Self.hits(seed, count: Int(seed % 12) + 1)
    let whole = FittedHits(hits, tokens: 10_000_000)
    #expect(whole.hits == hits.map(\.withoutStepsOfNeighbors) && whole.omitted == FittedHits.Omitted())
    for tokens in [0, 1, 100, 150, 300, 1000, 2000, 5000, 20_000] {
      let fitted = FittedHits(hits, tokens: tokens)
      #expect(fitted.tokens <= tokens)
      #expect(fitted.hits.map(\.episode.id) == hits.prefix(fitted.elements.count).map(\.episode.id))
      #expect(fitted.omitted.hits == hits.count - fitted.elements.count)
      let shown = fitted.hits.reduce(0) { $0 + $1.episode.steps.count }
      #expect(fitted.omitted.steps == hits.reduce(0) { $0 + $1.episode.steps.count } - shown)
      #expect(fitted.tokens + fitted.omitted.tokens == whole.tokens)
      for hit in fitted.hits {
        #expect(hit.episode.steps.map(\.number) == hit.episode.steps.map(\.number).sorted())
        #expect(hit.episode.omittedSteps == hit.episode.stepCount - hit.episode.steps.count)
      }
      // What is estimated is what is written.
      let rendering = HitRendering.plain
      for element in fitted.elements where element.hit.neighbors.isEmpty {
        let episode = element.hit.episode
        let texts = [rendering.head(episode), rendering.context(episode)] + episode.steps.map(rendering.step)
        #expect(texts.reduce(0) { $0 + TokenEstimate.count($1) } == element.tokens)
      }
    }
  }

  @Test func `keep the steps that matched, the last error and the last step before others`() throws {
    let steps = (1...20).map { number in
      Step(
        id: Step.ID("\(number)"), number: number, action: "run part \(number) of the plan", result: "done as planned",
        success: number != 5 && number != 7, timestamp: Timestamp(milliseconds: 0))
    }
    let episode = Episode(
      id: "e", taskType: .debugging, domain: "d", context: "repair the plan", createdAt: Timestamp(milliseconds: 0),
      steps: steps)
    let hit = Hit(episode: episode, score: 1, shares: .init(), matches: [.init(step: nil), .init(step: 3)])
    let fitted = try #require(FittedHits([hit], tokens: 130).hits.first)
    #expect([3, 7, 20].allSatisfy { number in fitted.episode.steps.contains { $0.number == number } })
    #expect(fitted.episode.context == "repair the plan" && fitted.episode.steps.count < 8)
    #expect(fitted.episode.stepCount == 20)
  }

  @Test func `one long result leaves room for the others and keeps both its ends`() throws {
    let long = "begin " + String(repeating: "noise in the log\n", count: 20_000) + " end"
    let steps = (1...4).map { number in
      Step(
        id: Step.ID("\(number)"), number: number, action: "step", result: number == 2 ? long : "short",
        success: number != 2, timestamp: Timestamp(milliseconds: 0))
    }
    let episode = Episode(
      id: "e", taskType: .debugging, domain: "d", context: "look", createdAt: Timestamp(milliseconds: 0), steps: steps)
    let hit = Hit(episode: episode, score: 1, shares: .init(), matches: [.init(step: 2)])
    let fitted = FittedHits([hit], tokens: 1000)
    let result = try #require(fitted.hits.first?.episode.steps.first { $0.number == 2 }?.result)
    #expect(result.hasPrefix("begin ") && result.hasSuffix(" end") && result.contains(OmissionMarker.ellipsis))
    #expect(fitted.hits.first?.episode.steps.count == 4 && fitted.tokens > 500 && fitted.omitted.tokens > 10_000)
  }
}

extension Hit {
  fileprivate var withoutStepsOfNeighbors: Hit {
    var hit = self
    hit.neighbors = Neighbors(
      before: neighbors.before.map { $0.keeping(.none) }, after: neighbors.after.map { $0.keeping(.none) })
    return hit
  }
}
