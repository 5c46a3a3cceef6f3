import Episodic
import Foundation

extension Hit {
  /// A block of lines for people: the task, what matched, and what the episode is.
  ///
  /// - Parameter best: The score of the first hit, of which this one's is shown as a share: the scores of words are no
  ///   measure across stores, and tiny in a small one.
  func lines(rank: Int, best: Double, _ format: TimeFormat) -> [String] {
    let context = matches.first { $0.step == nil }?.excerpt ?? episode.context
    let status = episode.status.style.applied(to: episode.outcome)
    let indent = String(repeating: " ", count: "\(rank)".count + 2)
    let width = StandardOutput.width ?? 400
    var lines = [
      "\(rank). \(status)  "
        + Self.shown(context).fitted(to: max(20, width - indent.count - episode.outcome.columns - 2))
    ]
    for match in matches {
      guard let step = match.step else { continue }
      lines.append((indent + "step \(step): " + Self.shown(match.excerpt ?? "")).fitted(to: width))
    }
    let facts = [
      episode.id.rawValue.onOneLine, Score.share(score, of: best), format.inTable(episode.createdAt),
      counted(episode.stepCount, "step"), episode.taskType.rawValue.onOneLine, episode.domain.onOneLine,
    ]
    let notes =
      (episode.trust < .trusted ? [episode.trust.rawValue] : []) + (copies > 0 ? ["\(copies) alike left out"] : [])
    lines.append(TextStyle.faint.applied(to: (indent + (notes + facts).joined(separator: "  ")).fitted(to: width)))
    return lines + neighborLines(format).map { (indent + $0).fitted(to: width) }
  }

  /// A line for each episode beside it in its session.
  private func neighborLines(_ format: TimeFormat) -> [String] {
    [("before", neighbors.before), ("after", neighbors.after)].flatMap { side, episodes in
      episodes.map { episode in
        "\(side): "
          + [
            episode.id.rawValue.onOneLine, format.inTable(episode.createdAt), Self.shown(episode.context),
          ].joined(separator: "  ")
      }
    }
  }

  /// With the steps and their results, whole.
  func fullLines(rank: Int, best: Double, _ format: TimeFormat) -> [String] {
    // An action or a result has lines of its own.
    let lines = episode.lines(format).flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false) }
    return ["\(rank). \(Score.share(score, of: best))"] + lines.map { $0.isEmpty ? "" : "   " + $0 }
      + neighborLines(format).map { "   " + $0 }
  }

  private static func shown(_ text: String) -> String { OmissionMarker.described(in: text).onOneLine }
}

/// Scores for people.
enum Score {
  /// Two significant digits: `100 %`, `63 %`, `0.42 %`.
  static func share(_ score: Double, of best: Double) -> String {
    guard best > 0, score.isFinite, score > 0 else { return "0 %" }
    let percent = score / best * 100
    return percent >= 9.95 ? "\(Int(min(percent, 100).rounded())) %" : String(format: "%.2g %%", percent)
  }
}
