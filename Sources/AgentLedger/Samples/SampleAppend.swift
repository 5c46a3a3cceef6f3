import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// A sample that has been checked.
struct NewSample: Sendable {
  let name: String
  /// Canonical.
  let labels: String
  let value: Double
  let at: Timestamp?

  init(_ draft: Ledger.Sample.Draft, _ input: LedgerInput) throws(MemoryError) {
    name = draft.series.name.rawValue.canonicallyComposed
    try input.name(name, "the sample's name")
    try input.time(draft.at, "the sample's time")
    for (label, value) in draft.series.labels {
      try input.name(label, "a label of the sample")
      try input.text(value, "the sample's label \(label.shortened(to: 40))")
    }
    guard draft.value.isFinite else {
      throw MemoryError(
        .invalid, "the sample of \(name.shortened(to: 60)) is \(draft.value); a sample is a finite number")
    }
    labels = try input.json(
      .object(JSON.Object(draft.series.labels.map { ($0.key, JSON.string($0.value)) })), "the sample's labels")
    (value, at) = (draft.value, draft.at)
  }
}

/// A request to record samples.
struct SampleAppend: Sendable {
  let samples: [NewSample]

  private struct Key: Hashable {
    let name: String
    let labels: String
  }

  private struct Place: Hashable {
    let series: Int64
    let at: Int64
  }

  /// Requests that share a commit share INSERT statements too.
  static func batch(_ database: LedgerDatabase) -> BatchedWrite<SampleAppend, Void> {
    database.batch { appends, db, now in
      var series: [Key: Int64] = [:]
      var numbers: [Place: Int64] = [:]
      let rows = try appends.flatMap(\.samples).map { sample in
        let key = Key(name: sample.name, labels: sample.labels)
        let found = try series[key] ?? SampleRow.number(name: sample.name, labels: sample.labels, db)
        series[key] = found
        let place = Place(series: found, at: (sample.at ?? now).milliseconds)
        let number = try (numbers[place] ?? SampleRow.lastNumber(of: found, at: place.at, db)) + 1
        numbers[place] = number
        return SampleRow.Stored(series: found, at: place.at, number: number, value: sample.value)
      }
      try SampleRow.insert(rows, db)
      return appends.map { _ in .success(()) }
    }
  }
}
