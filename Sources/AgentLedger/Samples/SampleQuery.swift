import GRDB
import StoreValues

/// Which samples a question is about: checked, with the times of its window.
struct SampleQuery: Sendable {
  let name: Ledger.Sample.Name
  let labels: [String: String]
  let start: Timestamp
  let end: Timestamp

  init(
    _ name: Ledger.Sample.Name, _ labels: [String: String], _ window: Ledger.Sample.Window, at now: Timestamp,
    _ input: LedgerInput
  ) throws(MemoryError) {
    try input.name(name.rawValue, "the sample's name")
    (self.name, self.labels) = (name, labels)
    switch window.bounds {
    case .times(let start, let end):
      try input.time(start, "the window's start")
      try input.time(end, "the window's end")
      guard start < end else {
        throw MemoryError(.invalid, "the window ends at \(end), not after its start, \(start); give a later end")
      }
      (self.start, self.end) = (start, end)
    case .last(let duration):
      _ = try input.milliseconds(duration, "the window", atLeast: .milliseconds(1))
      // The end is not in a window, and now is in this one.
      end = now.advanced(by: .milliseconds(1))
      start = end.advanced(by: .zero - duration)
    }
  }

  /// Newest first.
  func samples(limit: Int, _ db: Database) throws -> [Ledger.Sample] {
    let found = try SampleRow.series(name, labels: labels, db).flatMap { stored in
      try SampleRow.latest(of: stored, from: start, to: end, limit: limit, db)
    }
    return Array(found.sorted { $0.at > $1.at }.prefix(limit))
  }

  func summary(percentiles: [Double], _ db: Database) throws -> Ledger.Sample.Summary {
    var summary = SampleSummary(percentiles: percentiles)
    for stored in try SampleRow.series(name, labels: labels, db) {
      try SampleRow.forEach(of: stored.number, from: start, to: end, db) { _, value in summary.add(value) }
    }
    return summary.summary(from: start, to: end)
  }

  /// - Parameter step: Milliseconds; positive.
  func trend(by step: Int64, percentiles: [Double], _ db: Database) throws -> [Ledger.Sample.Summary] {
    var parts = Array(repeating: SampleSummary(percentiles: percentiles), count: count(by: step))
    for stored in try SampleRow.series(name, labels: labels, db) {
      try SampleRow.forEach(of: stored.number, from: start, to: end, db) { at, value in
        parts[Int((at - start.milliseconds) / step)].add(value)
      }
    }
    return parts.enumerated().map { index, part in
      let begin = start.advanced(by: .milliseconds(Int64(index) * step))
      return part.summary(from: begin, to: min(end, begin.advanced(by: .milliseconds(step))))
    }
  }

  /// How many steps the window has; the last one may be shorter.
  func count(by step: Int64) -> Int {
    let length = end.milliseconds - start.milliseconds
    return Int(length / step + (length % step == 0 ? 0 : 1))
  }
}
