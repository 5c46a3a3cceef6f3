/// A line of a report.
struct Row: Encodable {
  let section: String
  let name: String
  let what: String
  let calls: Int
  let p50: UInt64
  let p99: UInt64
  /// Steps written or episodes read.
  let itemsPerSecond: Double

  init(_ series: Series, section: String) {
    self.section = section
    name = series.name
    what = series.what
    calls = series.calls
    p50 = series.median
    p99 = series.p99
    itemsPerSecond = series.itemsPerSecond.rounded()
  }

  enum CodingKeys: String, CodingKey {
    case section, name, what, calls
    case p50 = "p50_ns"
    case p99 = "p99_ns"
    case itemsPerSecond = "per_second"
  }
}
