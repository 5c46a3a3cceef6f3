import CoreMetrics
public import Logging

extension Ledger {
  /// What a program logs and measures, on its way into a ledger.
  public struct Telemetry: Sendable {
    /// Writes events.
    public let log: LedgerLogHandler
    /// Writes samples.
    public let metrics: LedgerMetricsFactory

    /// Returns when all that was logged and measured before is written: before the program ends.
    public func flush() async {
      await log.flush()
      await metrics.flush()
    }
  }

  /// Has everything that the program logs through swift-log and measures through swift-metrics from now on written into the
  /// ledger, in the background. Once a process, before loggers and metrics are made: both systems allow no more.
  ///
  /// ```swift
  /// let telemetry = ledger.bootstrapTelemetry()
  /// ```
  ///
  /// - Parameter other: Gets each line too: standard error by default; `nil` for nobody.
  /// - Returns: For `flush()` at the end of the program.
  @discardableResult
  public func bootstrapTelemetry(
    alsoLoggingTo other: (@Sendable (_ label: String) -> any LogHandler)? = {
      StreamLogHandler.standardError(label: $0)
    }
  ) -> Telemetry {
    let telemetry = Telemetry(log: LedgerLogHandler(writingTo: self), metrics: LedgerMetricsFactory(writingTo: self))
    LoggingSystem.bootstrap { label in
      let handler = telemetry.log.labelled(label)
      guard let other else { return handler }
      return MultiplexLogHandler([handler, other(label)])
    }
    MetricsSystem.bootstrap(telemetry.metrics)
    return telemetry
  }
}
