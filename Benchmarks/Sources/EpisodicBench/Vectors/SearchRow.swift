/// A way to search, as a line of a report.
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

  enum CodingKeys: String, CodingKey {
    case section, name, what, calls, recall
    case p50 = "p50_ns"
    case p99 = "p99_ns"
    case p99OfFastest = "p99_of_fastest_ns"
  }
}
