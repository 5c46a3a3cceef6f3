/// Hits as a block of text to put before a model's task.
package struct PromptBlock {
  package static let defaultTokens = 2000
  package static let allowedTokens = 300...1_000_000_000
  /// Tokens of the lines that are written when the notes are known: an empty line a hit, and what is left out.
  private static let tokensForEnd = 30

  package let text: String
  /// The hits of which the block has at least a part, best first.
  package let hits: [Hit]
  /// What it does not have.
  package let omitted: FittedHits.Omitted

  /// - Parameter tokens: The estimated length of the block is at most this.
  package init(_ hits: [Hit], question: String?, tokens: Int) {
    let asked = question.map { ", found for the question \"\($0.onOneLine.fitted(to: 120))\"" } ?? ""
    let source = "recorded notes of earlier attempts\(asked)"
    let room = tokens - MarkedFrame.tokens(source: source) - Self.tokensForEnd
    let fitted = FittedHits(hits, tokens: max(room, 0), rendering: NoteText.rendering)
    let notes = fitted.elements.map { Self.note($0.hit) }
    text = MarkedFrame(notes.joined(separator: "|\n") + Self.leftOut(fitted.omitted), source: source).text
    self.hits = fitted.hits
    omitted = fitted.omitted
  }

  private static func leftOut(_ omitted: FittedHits.Omitted) -> String {
    guard omitted.hits > 0 || omitted.steps > 0 else { return "" }
    return "|\n| left out: \(counted(omitted.hits, "hit")), \(counted(omitted.steps, "step"))\n"
  }

  private static func note(_ hit: Hit) -> String {
    let episode = hit.episode
    let neighbors = (hit.neighbors.before + hit.neighbors.after).map { NoteText.head($0) + NoteText.context($0) }
    return NoteText.head(episode) + NoteText.context(episode) + episode.steps.map(NoteText.step).joined()
      + neighbors.joined()
  }
}

/// The parts of an episode as quoted lines of a `MarkedFrame`.
package enum NoteText {
  static let rendering = HitRendering(head: head, context: context, step: step)

  package static func head(_ episode: Episode) -> String {
    let facts =
      [
        episode.outcome, episode.taskType.rawValue.onOneLine, episode.createdAt.toTheSecond,
        "id \(episode.id.rawValue.onOneLine)",
      ] + (episode.trust < .trusted ? ["source \(episode.trust.rawValue)"] : [])
    return MarkedFrame.quoted(facts.joined(separator: ", "))
  }

  package static func context(_ episode: Episode) -> String {
    MarkedFrame.quoted("task: \(episode.context.visible)")
  }

  package static func step(_ step: Step) -> String {
    let outcome = step.success.map { $0 ? "succeeded" : "failed" }
    let notes = [step.tool?.onOneLine, outcome].compactMap { $0 }
    let head =
      "step \(step.number)\(notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))"): \(step.action.visible)"
    return MarkedFrame.quoted(step.result.map { "\(head)\nresult: \($0.visible)" } ?? head)
  }
}
