import CoreMetrics
import StoreValues
import Synchronization

/// A metric of which one sample sums up an interval.
protocol ChangingMetric: AnyObject, Sendable {
  /// The sample of the interval that ends now.
  func take() -> (series: Ledger.Series, value: Double)
}

/// The metrics that have changed since they were taken last, each once.
final class ChangedMetrics: Sendable {
  private let metrics = Mutex<[any ChangingMetric]>([])

  func add(_ metric: any ChangingMetric) { metrics.withLock { $0.append(metric) } }

  func take(at now: Timestamp) -> [Ledger.Sample.Draft] {
    let taken = metrics.withLock { metrics in
      defer { metrics = [] }
      return metrics
    }
    return taken.map { metric in
      let (series, value) = metric.take()
      return Ledger.Sample.Draft(value, of: series.name, labels: series.labels, at: now)
    }
  }
}

/// Sums increments up.
final class LedgerCounter: CounterHandler, FloatingPointCounterHandler, ChangingMetric {
  private struct State {
    var sum = 0.0
    var isChanged = false
  }

  private let series: Ledger.Series
  private let note: @Sendable (any ChangingMetric) -> Void
  private let state = Mutex(State())

  init(_ series: Ledger.Series, _ note: @escaping @Sendable (any ChangingMetric) -> Void) {
    (self.series, self.note) = (series, note)
  }

  func increment(by amount: Int64) { increment(by: Double(amount)) }

  func increment(by amount: Double) {
    let isNew = state.withLock { state -> Bool in
      state.sum += amount
      defer { state.isChanged = true }
      return !state.isChanged
    }
    if isNew { note(self) }
  }

  func reset() { state.withLock { $0.sum = 0 } }

  func take() -> (series: Ledger.Series, value: Double) {
    state.withLock { state in
      defer { state = State() }
      return (series, state.sum)
    }
  }
}

/// Keeps the last value.
final class LedgerGauge: RecorderHandler, MeterHandler, ChangingMetric {
  private struct State {
    var value = 0.0
    var isChanged = false
  }

  private let series: Ledger.Series
  private let note: @Sendable (any ChangingMetric) -> Void
  private let state = Mutex(State())

  init(_ series: Ledger.Series, _ note: @escaping @Sendable (any ChangingMetric) -> Void) {
    (self.series, self.note) = (series, note)
  }

  func record(_ value: Int64) { change { $0 = Double(value) } }
  func record(_ value: Double) { change { $0 = value } }
  func set(_ value: Int64) { change { $0 = Double(value) } }
  func set(_ value: Double) { change { $0 = value } }
  func increment(by amount: Double) { change { $0 += amount } }
  func decrement(by amount: Double) { change { $0 -= amount } }

  private func change(_ body: (inout Double) -> Void) {
    let isNew = state.withLock { state -> Bool in
      body(&state.value)
      defer { state.isChanged = true }
      return !state.isChanged
    }
    if isNew { note(self) }
  }

  func take() -> (series: Ledger.Series, value: Double) {
    state.withLock { state in
      state.isChanged = false
      return (series, state.value)
    }
  }
}

/// Hands each value over.
final class LedgerRecorder: RecorderHandler, TimerHandler {
  private let write: @Sendable (Double) -> Void

  init(_ write: @escaping @Sendable (Double) -> Void) { self.write = write }

  func record(_ value: Int64) { write(Double(value)) }
  func record(_ value: Double) { write(value) }
  /// In milliseconds.
  func recordNanoseconds(_ duration: Int64) { write(Double(duration) / 1_000_000) }
}
