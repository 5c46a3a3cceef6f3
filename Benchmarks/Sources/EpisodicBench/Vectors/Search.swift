import CRawSQLite

/// One way to ask all the queries: how long each took, and how much of the truth it found.
struct Search {
  private(set) var series: Series
  private let truth: Truth
  private var found = 0
  private var wanted = 0
  /// Of each query, its fastest call: what a machine that others use did not hold up.
  private var fastest: [Int: UInt64] = [:]

  init(_ name: String, _ what: String, truth: Truth) {
    series = Series(name, what)
    self.truth = truth
  }

  /// The share of the true neighbours that was found.
  var recall: Double { wanted > 0 ? Double(found) / Double(wanted) : 0 }

  /// The 99th percentile over the queries of the fastest call of each.
  var p99OfFastest: UInt64 {
    let sorted = fastest.values.sorted()
    return sorted.isEmpty ? 0 : sorted[(sorted.count * 99 + 99) / 100 - 1]
  }

  /// Asks one query.
  ///
  /// - Parameter rows: What an answer says; not part of the time.
  mutating func ask<Answer>(
    _ query: Int, _ ask: () async throws -> Answer, rows: (Answer) throws -> [Int]
  ) async throws {
    let start = raw_now()
    let answer = try await ask()
    let nanoseconds = raw_now() - start
    series.record(nanoseconds: nanoseconds)
    fastest[query] = min(fastest[query] ?? .max, nanoseconds)
    found += truth.found(try rows(answer), query: query)
    wanted += truth.wanted(query)
  }
}
