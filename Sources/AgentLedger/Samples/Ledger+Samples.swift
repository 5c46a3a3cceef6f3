import StoreRows
public import StoreValues

extension Ledger {
  /// Records a sample.
  ///
  /// - Throws: `.invalid` for a value that is not finite; `.limitExceeded`.
  public func record(_ sample: Sample.Draft) async throws(MemoryError) { try await record([sample]) }

  /// Records samples in one commit, or none of them.
  ///
  /// Cost: 32 rows a statement; concurrent calls share a commit.
  public func record(_ samples: [Sample.Draft]) async throws(MemoryError) {
    let input = database.input
    try input.batch(samples.count, "samples")
    let new = try samples.map { (sample) throws(MemoryError) in try NewSample(sample, input) }
    try await database.write(SampleAppend(samples: new), in: appends.samples)
  }

  /// The series of a name that have all these labels, in the order of their labels.
  ///
  /// - Parameter name: `nil` for any.
  public func series(
    _ name: Sample.Name? = nil, labels: [String: String] = [:]
  ) async throws(MemoryError) -> [Series] {
    try await database.read { db in try SampleRow.series(name, labels: labels, db).map(\.series) }
  }

  /// Samples over a window, newest first.
  ///
  /// - Parameter labels: Of all series of the name that have these.
  /// - Parameter limit: 1 to `limits.results`.
  public func samples(
    of name: Sample.Name, labels: [String: String] = [:], in window: Sample.Window, limit: Int = 1000
  ) async throws(MemoryError) -> [Sample] {
    try database.input.page(limit)
    let query = try SampleQuery(name, labels, window, at: database.clock.now(), database.input)
    return try await database.read { db in try query.samples(limit: limit, db) }
  }

  /// Count, sum, rate and percentiles of the samples over a window.
  ///
  /// - Parameter labels: Of all series of the name that have these.
  /// - Parameter percentiles: Shares, 0...1.
  /// - Complexity: O(*n* log *n*) with percentiles, O(*n*) without, *n* the samples in the window.
  public func summary(
    of name: Sample.Name, labels: [String: String] = [:], in window: Sample.Window,
    percentiles: [Double] = [0.5, 0.9, 0.99]
  ) async throws(MemoryError) -> Sample.Summary {
    let input = database.input
    for share in percentiles { try input.number(share, "a percentile", in: 0...1) }
    let query = try SampleQuery(name, labels, window, at: database.clock.now(), input)
    return try await database.read { db in try query.summary(percentiles: percentiles, db) }
  }

  /// The same for each step of a window: how the samples develop. A step without samples has a summary too.
  ///
  /// - Parameter step: From the window's start on; the last step ends with the window. At most `limits.results` steps.
  /// - Returns: In the order of time.
  public func trend(
    of name: Sample.Name, labels: [String: String] = [:], in window: Sample.Window, by step: Duration,
    percentiles: [Double] = []
  ) async throws(MemoryError) -> [Sample.Summary] {
    let input = database.input
    for share in percentiles { try input.number(share, "a percentile", in: 0...1) }
    let query = try SampleQuery(name, labels, window, at: database.clock.now(), input)
    guard let step = try input.milliseconds(step, "the step", atLeast: .milliseconds(1)) else { return [] }
    let count = query.count(by: step)
    guard count <= input.limits.results else {
      throw MemoryError(
        .limitExceeded,
        "the window has \(count) steps of \(step) ms; give a longer step, or raise limits.results from \(input.limits.results)"
      )
    }
    return try await database.read { db in try query.trend(by: step, percentiles: percentiles, db) }
  }
}
