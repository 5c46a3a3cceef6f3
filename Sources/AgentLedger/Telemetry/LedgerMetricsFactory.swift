public import CoreMetrics
import StoreValues
import Synchronization

/// Writes what a program measures through swift-metrics as samples of a ledger, in the background.
///
/// ```swift
/// MetricsSystem.bootstrap(LedgerMetricsFactory(writingTo: ledger))
/// ```
///
/// A recorder and a timer (in milliseconds) give a sample for each value; a counter gives its increments of an interval as
/// one sample, so that the `rate` of the samples is that of the counter; a gauge and a meter give their last value of an interval. Labels
/// are the dimensions. Measuring never waits: what comes while 10,000 samples wait is dropped and counted. Metrics named
/// `episodic.ledger...` are left out, since writing them would change them.
public final class LedgerMetricsFactory: MetricsFactory {
  private let clock: any WallClock
  private let changed: ChangedMetrics
  private let writer: BackgroundWriter<Ledger.Sample.Draft>

  /// A factory with a buffer of its own.
  ///
  /// - Parameter interval: For which counters and gauges are summed up before they are written.
  /// - Parameter capacity: Samples that are kept until they are written.
  public init(writingTo ledger: Ledger, interval: Duration = .seconds(1), capacity: Int = 10_000) {
    let (clock, changed) = (ledger.database.clock, ChangedMetrics())
    (self.clock, self.changed) = (clock, changed)
    var bounds = BackgroundWriter<Ledger.Sample.Draft>.Bounds()
    bounds.elements = max(1, capacity)
    writer = BackgroundWriter(
      bounds: bounds, delay: max(interval, .zero), collect: { changed.take(at: clock.now()) },
      write: { samples, _ in await ledger.write(samples) })
  }

  /// Samples that were dropped: the buffer was full, or they could not be written.
  public var dropped: Int { writer.dropped }

  /// Returns when all that was measured before is written.
  public func flush() async { await writer.flush() }

  /// A counter whose increments of an interval are one sample.
  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    guard let series = Self.series(label, dimensions) else { return NOOPMetricsHandler.instance }
    return LedgerCounter(series, noteChange)
  }

  /// As a counter.
  public func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    guard let series = Self.series(label, dimensions) else { return NOOPMetricsHandler.instance }
    return LedgerCounter(series, noteChange)
  }

  /// A meter whose last value of an interval is a sample.
  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    guard let series = Self.series(label, dimensions) else { return NOOPMetricsHandler.instance }
    return LedgerGauge(series, noteChange)
  }

  /// A recorder of which each value is a sample, or a gauge of which the last one of an interval is.
  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    guard let series = Self.series(label, dimensions) else { return NOOPMetricsHandler.instance }
    return aggregate ? LedgerRecorder(record(series)) : LedgerGauge(series, noteChange)
  }

  /// A timer of which each value is a sample, in milliseconds.
  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    guard let series = Self.series(label, dimensions) else { return NOOPMetricsHandler.instance }
    return LedgerRecorder(record(series))
  }

  /// Nothing: what was counted is written all the same.
  public func destroyCounter(_ handler: any CounterHandler) {}
  /// Nothing.
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  /// Nothing.
  public func destroyMeter(_ handler: any MeterHandler) {}
  /// Nothing.
  public func destroyRecorder(_ handler: any RecorderHandler) {}
  /// Nothing.
  public func destroyTimer(_ handler: any TimerHandler) {}

  private func noteChange(of metric: any ChangingMetric) {
    changed.add(metric)
    writer.schedule()
  }

  private func record(_ series: Ledger.Series) -> @Sendable (Double) -> Void {
    let (clock, writer) = (clock, writer)
    return { value in
      writer.add(.init(value, of: series.name, labels: series.labels, at: clock.now()), bytes: 128)
    }
  }

  /// `nil` for the ledger's own.
  private static func series(_ label: String, _ dimensions: [(String, String)]) -> Ledger.Series? {
    guard !label.hasPrefix("episodic.ledger") else { return nil }
    let labels = dimensions.map { ($0.0.isEmpty ? "unnamed" : $0.0, $0.1) }
    return Ledger.Series(
      .init(rawValue: label.isEmpty ? "unnamed" : label), labels: Dictionary(labels, uniquingKeysWith: { $1 }))
  }
}

extension Ledger {
  /// - Returns: How many could not be written.
  fileprivate func write(_ samples: [Sample.Draft]) async -> Int {
    let input = database.input
    // One that is refused, such as a value that is not a number, is dropped alone.
    let new = samples.compactMap { sample in try? NewSample(sample, input) }
    do {
      try await database.write(SampleAppend(samples: new), in: appends.samples)
      return samples.count - new.count
    } catch {
      return samples.count
    }
  }
}
