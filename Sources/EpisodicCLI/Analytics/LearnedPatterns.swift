import Episodic

/// What learning found, with the patterns of the store that keep it.
struct LearnedPatterns {
  let patterns: [(pattern: Pattern, learned: LearnedPattern)]

  init(_ patterns: [Pattern]) {
    self.patterns = patterns.compactMap { pattern in LearnedPattern(pattern).map { (pattern, $0) } }
  }

  /// - Parameter domain: `nil` for all.
  init(of memory: Memory, in domain: String?) async throws {
    self.init(
      try await memory.patterns(
        .init(data: ["scope": "domain"], limit: 1000), in: domain.map(Query.Scope.domain) ?? .everything))
  }

  /// One that several domains have, once; the most certain first.
  var distinct: [LearnedPattern] {
    Dictionary(patterns.map { ($0.learned.key, $0.learned) }, uniquingKeysWith: { first, _ in first }).values
      .sorted { a, b in
        let (x, y) = (abs(a.score), abs(b.score))
        return x != y ? x > y : a.key.text < b.key.text
      }
  }

  private var counts: [(grade: LearnedPattern.Grade, count: Int)] {
    let all = distinct
    return LearnedPattern.Grade.allCases.map { grade in (grade, all.count { $0.grade == grade }) }
  }

  /// By grade.
  var json: JSON { .object(JSON.Object(counts.map { ($0.grade.rawValue, .integer(Int64($0.count))) })) }

  /// For the figures of a store; empty if nothing was learned.
  var line: String {
    guard !patterns.isEmpty else { return "" }
    let grades = counts.filter { $0.count > 0 }.map { "\($0.count) \($0.grade.rawValue)" }
    return "\nlearned   \(distinct.count) (\(grades.joined(separator: ", ")))"
  }
}
