extension RecallExplanation {
  /// `terms`, `unknown`, `windows`, `space`, `hits` and `why_not`.
  public var json: JSON {
    [
      "terms": .array(terms.map(\.json)), "unknown": .array(unknown.map(JSON.string)),
      "windows": .array(windows.map(\.json)), "space": space.map { .string($0.model) } ?? .null,
      "hits": .array(hits.map(\.json)), "why_not": .array(fates.map(\.json)),
    ]
  }
}

extension RecallExplanation.Term {
  fileprivate var json: JSON {
    [
      "text": .string(text), "contexts": .integer(Int64(contexts)), "steps": .integer(Int64(steps)),
      "share": JSON(share),
    ]
  }
}

extension RecallExplanation.Window {
  fileprivate var json: JSON {
    ["words": .string(words), "from": .string(from.description), "until": .string(until.description)]
  }
}

extension RecallExplanation.Signals {
  fileprivate var json: JSON {
    [
      "context": JSON(context),
      "steps": .array(steps.map { ["step_number": .integer(Int64($0.step)), "score": JSON($0.score)] }),
      "together": JSON(together), "similarity": similarity.map { JSON($0) } ?? .null, "in_window": .bool(isInWindow),
      "success": JSON(success),
    ]
  }
}

extension RecallExplanation.Entry {
  fileprivate var json: JSON {
    [
      "id": .string(id.rawValue), "rank": rank.map { .integer(Int64($0)) } ?? .null, "score": JSON(score),
      "shares": shares.json, "signals": signals.json, "matched": .array(matched.map(JSON.string)),
      "missing": .array(missing.map(JSON.string)),
    ]
  }
}

extension RecallExplanation.Fate {
  fileprivate var json: JSON {
    [
      "id": .string(id.rawValue), "reason": .string(reason.name), "fields": .array(reason.fields.map(JSON.string)),
      "entry": entry.map(\.json) ?? .null,
    ]
  }
}

extension RecallExplanation.Reason {
  /// `found`, `not_in_scope`, `filtered`, `lacks_required`, `no_match`, `beyond_depth`, `below_minimum_score`, `beyond_limit`.
  public var name: String {
    switch self {
    case .found: "found"
    case .notInScope: "not_in_scope"
    case .filtered: "filtered"
    case .lacksRequired: "lacks_required"
    case .noMatch: "no_match"
    case .beyondDepth: "beyond_depth"
    case .belowMinimumScore: "below_minimum_score"
    case .beyondLimit: "beyond_limit"
    }
  }

  /// Fields of the filter that leave it out; empty for another reason.
  public var fields: [String] {
    if case .filtered(let fields) = self { fields } else { [] }
  }
}
