import CoreMetrics
import EpisodicMemory

/// The work of a store as metrics, for the metrics system that the program has set up; cache and index have their own.
///
/// The handles are made once for each open store. The page Telemetry lists the names.
struct StoreMetrics {
  private let factory: any MetricsFactory

  /// - Parameter factory: Without one that keeps anything, nothing is observed.
  init(factory: any MetricsFactory = MetricsSystem.factory) { self.factory = factory }

  var observer: StoreObserver {
    var observer = StoreObserver()
    guard !(factory is NOOPMetricsHandler) else { return observer }
    let duration = Timer(label: "episodic.commit.duration", dimensions: [], factory: factory)
    let wait = Timer(label: "episodic.commit.wait", dimensions: [], factory: factory)
    let calls = Recorder(label: "episodic.commit.calls", dimensions: [], aggregate: true, factory: factory)
    observer.committed = { count, waited, took in
      calls.record(count)
      wait.recordNanoseconds(waited.wholeNanoseconds)
      duration.recordNanoseconds(took.wholeNanoseconds)
    }
    let steps = Counter(label: "episodic.commit.steps", dimensions: [], factory: factory)
    observer.appended = { steps.increment(by: $0) }
    let recall = Timer(label: "episodic.recall.duration", dimensions: [], factory: factory)
    let hits = Recorder(label: "episodic.recall.hits", dimensions: [], aggregate: true, factory: factory)
    observer.recalled = { took, count in
      recall.recordNanoseconds(took.wholeNanoseconds)
      hits.record(count)
    }
    var tasks: [String: (Timer, Counter)] = [:]
    for task in MaintenanceTask.allCases {
      let dimensions = [("task", task.rawValue)]
      tasks[task.rawValue] = (
        Timer(label: "episodic.maintenance.duration", dimensions: dimensions, factory: factory),
        Counter(label: "episodic.maintenance.failures", dimensions: dimensions, factory: factory)
      )
    }
    observer.maintained = { [tasks] task, took, hasFailed in
      guard let (duration, failures) = tasks[task] else { return }
      duration.recordNanoseconds(took.wholeNanoseconds)
      if hasFailed { failures.increment() }
    }
    return observer
  }
}

extension Duration {
  /// Clamped to `Int64`.
  fileprivate var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return overflow
      ? (seconds < 0 ? .min : .max) : product.addingReportingOverflow(attoseconds / 1_000_000_000).partialValue
  }
}
