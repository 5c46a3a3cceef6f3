import Episodic
import Foundation

extension RecallExplanation {
  /// For people: the terms with their weight, the times, a line of signals for each hit, and the fate of what was asked for.
  func lines(_ format: TimeFormat) -> [String] {
    var lines: [String] = []
    if !terms.isEmpty {
      lines.append("terms, with their share of the question:")
      lines += terms.map { term in
        "  \(term.text.onOneLine)  \(Self.percent(term.share))  \(counted(term.contexts, "context")), "
          + counted(term.steps, "step")
      }
    }
    if !unknown.isEmpty { lines.append("no text has: " + unknown.map(\.onOneLine).joined(separator: ", ")) }
    lines += windows.map { window in
      "time: \"\(window.words.onOneLine)\" is \(format.exact(window.from)) to \(format.exact(window.until))"
    }
    if let space { lines.append("vectors: \(space.model.onOneLine), \(counted(space.dimensions, "dimension"))") }
    lines += hits.flatMap(\.lines)
    for fate in fates {
      lines.append("\(fate.id.rawValue.onOneLine): \(fate.reason.sentence)")
      lines += fate.entry?.lines ?? []
    }
    return lines
  }

  fileprivate static func percent(_ share: Double) -> String { "\(number(share * 100)) %" }

  /// Three significant digits.
  fileprivate static func number(_ value: Double) -> String {
    guard value != 0, value.isFinite else { return value == 0 ? "0" : "\(value)" }
    let digits = max(0, min(6, 2 - Int(log10(abs(value)).rounded(.down))))
    return String(format: "%.\(digits)f", value)
  }
}

extension RecallExplanation.Entry {
  fileprivate var lines: [String] {
    let shares = [
      ("context", shares.context), ("steps", shares.steps), ("vector", shares.vector), ("session", shares.session),
      ("time", shares.time), ("success", shares.success),
    ].filter { $0.1 != 0 }.map { "\($0.0) \(RecallExplanation.number($0.1))" }
    var raw: [String] = []
    if signals.context != 0 { raw.append("context bm25 \(RecallExplanation.number(signals.context))") }
    raw += signals.steps.map { "step \($0.step) bm25 \(RecallExplanation.number($0.score))" }
    if signals.together != 0 { raw.append("all steps bm25 \(RecallExplanation.number(signals.together))") }
    if let similarity = signals.similarity { raw.append("similarity \(RecallExplanation.number(similarity))") }
    if signals.isInWindow { raw.append("in the time named") }
    var lines = [
      "\(rank.map { "\($0)." } ?? "-") \(id.rawValue.onOneLine)  score \(RecallExplanation.number(score))"
        + (shares.isEmpty ? "" : " = " + shares.joined(separator: " + "))
    ]
    if !raw.isEmpty { lines.append("   " + raw.joined(separator: ", ")) }
    if !matched.isEmpty { lines.append("   has: " + matched.map(\.onOneLine).joined(separator: ", ")) }
    if !missing.isEmpty { lines.append("   lacks: " + missing.map(\.onOneLine).joined(separator: ", ")) }
    return lines
  }
}

extension RecallExplanation.Reason {
  fileprivate var sentence: String {
    switch self {
    case .found: "is among the hits"
    case .notInScope: "is not there: check the id and the domain"
    case .filtered(let fields): "is left out by the filter: \(fields.joined(separator: ", "))"
    case .lacksRequired: "lacks a phrase or a prefix that is required"
    case .noMatch: "has none of the words, no near vector and not the time"
    case .beyondDepth: "was not compared, because others matched better in words and in vectors"
    case .belowMinimumScore: "scores less than --minimum-score"
    case .beyondLimit: "comes after --limit"
    }
  }
}
