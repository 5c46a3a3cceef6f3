extension FittedHits {
  /// Fewer tokens show no hit.
  package static let allowedTokens = 100...1_000_000_000
  /// Tokens that a hit should have; with fewer for each, fewer hits are shown.
  private static let tokensPerHit = 100

  /// Cuts hits to a number of tokens.
  ///
  /// Each hit gets an equal part of what those before it left. It is used in this order: what the episode is, its context, the
  /// steps that matched, the last step that failed, the last step. What remains is used for further hits, then for
  /// further steps, the last first, and for the contexts of the neighbours, of the best hit first. Metadata is left out.
  ///
  /// - Parameter tokens: In `allowedTokens`.
  package init(_ hits: [Hit], tokens: Int, rendering: HitRendering = .plain) {
    let count = min(hits.count, max(1, tokens / Self.tokensPerHit))
    var left = max(0, tokens)
    var fitted = hits.prefix(count).enumerated().map { index, hit in
      var part = HitFitting(hit, rendering)
      let share = left / (count - index)
      left -= part.addEssentials(tokens: share)
      return part
    }
    // Short hits leave room for more of them.
    for hit in hits.dropFirst(count) where fitted.last?.isShown ?? false {
      var part = HitFitting(hit, rendering)
      left -= part.addEssentials(tokens: left)
      fitted.append(part)
    }
    for index in fitted.indices { left -= fitted[index].addRest(tokens: left) }
    let shown = fitted.filter(\.isShown)
    var omitted = Omitted(hits: hits.count - shown.count)
    for hit in hits {
      omitted.steps += hit.episode.stepCount
      omitted.tokens += HitFitting.cost(of: hit, rendering)
    }
    for part in shown {
      omitted.steps -= part.steps.count
      omitted.tokens -= part.used
    }
    omitted.tokens = max(0, omitted.tokens)
    self.init(elements: shown.map { Element(hit: $0.fitted, tokens: $0.used) }, omitted: omitted)
  }
}

/// A hit while parts of it are chosen.
private struct HitFitting {
  /// Tokens below which a text is not cut but left out.
  private static let leastTokens = 16
  /// Tokens of one step in a small part, so that one long output does not take the room of all others.
  private static let tokensPerStep = 700

  private let hit: Hit
  private let rendering: HitRendering
  private var context: String?
  private(set) var steps: [Int: Step] = [:]
  private var neighbors = Hit.Neighbors()
  private(set) var used = 0

  init(_ hit: Hit, _ rendering: HitRendering) {
    self.hit = hit
    self.rendering = rendering
  }

  var isShown: Bool { context != nil }

  /// The hit with what was chosen.
  var fitted: Hit {
    var episode = hit.episode
    let all = episode.stepCount
    let kept = steps.values.sorted { $0.number < $1.number }
    episode.keep(context: context ?? "", steps: kept, of: all)
    episode.metadata = [:]
    var hit = Hit(episode: episode, score: hit.score, shares: hit.shares, matches: hit.matches)
    hit.neighbors = neighbors
    return hit
  }

  static func cost(of hit: Hit, _ rendering: HitRendering) -> Int {
    let episode = hit.episode
    let texts = TokenEstimate.count(rendering.head(episode)) + TokenEstimate.count(rendering.context(episode))
    let neighbors = (hit.neighbors.before + hit.neighbors.after).reduce(0) { $0 + cost(ofNeighbor: $1, rendering) }
    return episode.steps.reduce(texts + neighbors) { $0 + TokenEstimate.count(rendering.step($1)) }
  }

  private static func cost(ofNeighbor episode: Episode, _ rendering: HitRendering) -> Int {
    TokenEstimate.count(rendering.head(episode)) + TokenEstimate.count(rendering.context(episode))
  }

  /// - Returns: The tokens that are used.
  mutating func addEssentials(tokens: Int) -> Int {
    let episode = hit.episode
    let head = TokenEstimate.count(rendering.head(episode))
    let byNumber = Dictionary(episode.steps.map { ($0.number, $0) }) { first, _ in first }
    let matching = hit.matches.compactMap { $0.step.flatMap { byNumber[$0] } }
    // A long context leaves half of the room to the steps that matched.
    let room = tokens - head
    guard
      let (text, cost) = fitting(
        episode.context, tokens: matching.isEmpty ? room : max(room / 2, Self.leastTokens),
        as: { text in
          var part = episode
          part.keep(context: text, steps: [], of: 0)
          return rendering.context(part)
        }), cost <= room
    else { return 0 }
    context = text
    used = head + cost
    let outcome = [episode.steps.last { $0.success == false }, episode.steps.last].compactMap(\.self)
    for step in matching + outcome { add(step, tokens: tokens - used, atMost: max(Self.tokensPerStep, tokens / 4)) }
    return used
  }

  /// - Returns: The tokens that are used in addition.
  mutating func addRest(tokens: Int) -> Int {
    guard isShown else { return 0 }
    let before = used
    func left(_ used: Int) -> Int { tokens - (used - before) }
    // Steps whose results were cut for want of room come first.
    for step in hit.episode.steps.reversed() where steps[step.number] != step {
      add(step, tokens: left(used), atMost: max(Self.tokensPerStep, tokens / 4))
      if left(used) < Self.leastTokens { break }
    }
    for episode in hit.neighbors.before.reversed() where !addNeighbor(episode, \.before, tokens: left(used)) { break }
    neighbors.before.reverse()
    for episode in hit.neighbors.after where !addNeighbor(episode, \.after, tokens: left(used)) { break }
    return used - before
  }

  private mutating func addNeighbor(
    _ episode: Episode, _ side: WritableKeyPath<Hit.Neighbors, [Episode]>, tokens: Int
  ) -> Bool {
    let cost = Self.cost(ofNeighbor: episode, rendering)
    guard cost <= tokens else { return false }
    var part = episode.keeping(.none)
    part.metadata = [:]
    neighbors[keyPath: side].append(part)
    used += cost
    return true
  }

  /// Adds a step, or more of it, if it fits at least in part.
  private mutating func add(_ step: Step, tokens: Int, atMost most: Int) {
    let present = steps[step.number].map { TokenEstimate.count(rendering.step($0)) } ?? 0
    let room = min(tokens + present, most)
    var part = step
    let cost = TokenEstimate.count(rendering.step(step))
    if cost > room {
      // The action whole, if it leaves room for the result.
      part.result = nil
      let action = TokenEstimate.count(rendering.step(part))
      if let result = step.result, action + Self.leastTokens <= room {
        part.result =
          fitting(
            result, tokens: room,
            as: { text in
              var shown = part
              shown.result = text
              return rendering.step(shown)
            })?.text
      } else if action > room {
        let fitting = fitting(step.action, tokens: room) { text in
          var shown = part
          shown.action = text
          return rendering.step(shown)
        }
        guard let fitting else { return }
        part.action = fitting.text
      }
    }
    let fittingCost = TokenEstimate.count(rendering.step(part))
    guard fittingCost <= room, fittingCost > present else { return }
    steps[step.number] = part
    used += fittingCost - present
  }

  /// The text, or its beginning and end, so that what is written of it has at most `tokens`.
  private func fitting(
    _ text: String, tokens: Int, as rendered: (String) -> String
  ) -> (text: String, cost: Int)? {
    let cost = TokenEstimate.count(rendered(text))
    guard cost > tokens else { return (text, cost) }
    guard tokens >= Self.leastTokens else { return nil }
    var bytes = text.utf8.count
    // The tokens of a byte differ within a text, so the first cut may be too long.
    for _ in 0..<8 {
      let (scaled, overflow) = bytes.multipliedReportingOverflow(by: tokens)
      let shown = text.cut(toBytes: min(bytes, text.utf8.count))
      let cost = TokenEstimate.count(rendered(shown))
      if cost <= tokens { return (shown, cost) }
      bytes = (overflow ? bytes / 2 : scaled / max(1, cost)) * 9 / 10
    }
    return nil
  }
}
