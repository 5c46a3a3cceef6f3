import CRawSQLite
import Foundation

/// The latencies and the recall of one way to search.
struct Search {
  private(set) var series: Series
  private let truth: Truth
  private var found = 0
  private var wanted = 0
  /// The fastest call of each query, which load of the machine affects least.
  private var fastest: [Int: UInt64] = [:]

  init(_ name: String, _ what: String, truth: Truth) {
    series = Series(name, what)
    self.truth = truth
  }

  /// The share of the true neighbours found.
  var recall: Double { wanted > 0 ? Double(found) / Double(wanted) : 0 }

  /// The 99th percentile over the queries of the fastest call of each.
  var p99OfFastest: UInt64 {
    let sorted = fastest.values.sorted()
    return sorted.isEmpty ? 0 : sorted[(sorted.count * 99 + 99) / 100 - 1]
  }

  /// Runs one query.
  ///
  /// - Parameter rows: The rows of a result; not timed.
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

/// One way to search, as a line of the report.
struct SearchRow: Encodable {
  let section: String
  let name: String
  let what: String
  let calls: Int
  let p50: UInt64
  let p99: UInt64
  /// Over the queries, of the fastest call of each.
  let p99OfFastest: UInt64
  let recall: Double

  init(_ search: Search, section: String) {
    self.section = section
    name = search.series.name
    what = search.series.what
    calls = search.series.calls
    p50 = search.series.median
    p99 = search.series.p99
    p99OfFastest = search.p99OfFastest
    recall = search.recall
  }

  static let titles = ["searches", "", "calls", "p50 us", "p99 us", "of best", "recall"]
  var cells: [String] {
    [name, section, calls.grouped, p50.microseconds, p99.microseconds, p99OfFastest.microseconds]
      + [String(format: "%.4f", recall)]
  }

  enum CodingKeys: String, CodingKey {
    case section, name, what, calls, recall
    case p50 = "p50_ns"
    case p99 = "p99_ns"
    case p99OfFastest = "p99_of_fastest_ns"
  }
}
