import CoreMetrics

/// What an index does as metrics, for the metrics system that the program has set up.
struct IndexMetrics: Sendable {
  private let search: Timer?
  private let silent: Counter
  private let changes: Counter
  private let lag: Gauge

  /// - Parameter factory: Without one that keeps anything, nothing is timed.
  init(factory: any MetricsFactory) {
    search =
      factory is NOOPMetricsHandler
      ? nil : Timer(label: "episodic.index.search.duration", dimensions: [], factory: factory)
    silent = Counter(label: "episodic.index.silent", dimensions: [], factory: factory)
    changes = Counter(label: "episodic.index.changes", dimensions: [], factory: factory)
    lag = Gauge(label: "episodic.index.lag", dimensions: [], factory: factory)
  }

  /// Times a search that the index answers.
  func timing<Value, Failure>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
    guard let search else { return try body() }
    let start = ContinuousClock.now
    let value = try body()
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    search.recordNanoseconds(seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000)
    return value
  }

  /// The index could not answer, and the primary searched.
  func wasSilent() { silent.increment() }

  /// - Parameter revisions: How many the index was behind the primary before it followed it.
  func follows(from revisions: Int64) { lag.record(revisions) }

  func applied(_ count: Int) { changes.increment(by: count) }
}
