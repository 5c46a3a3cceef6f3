package import Logging
import Synchronization

/// When an open memory maintains its store.
public struct MaintenanceSchedule: Hashable, Sendable {
  /// From one attempt to the next; `nil`: none.
  package let interval: Duration?

  /// Only when `maintain` is called.
  public static let manual = MaintenanceSchedule(interval: nil)
  /// In the background, once a minute, what is due then.
  public static let automatic = MaintenanceSchedule(interval: .seconds(60))
  /// In the background, what is due then.
  ///
  /// - Parameter interval: From the end of one run to the next attempt.
  public static func automatic(every interval: Duration) -> MaintenanceSchedule {
    MaintenanceSchedule(interval: max(interval, .milliseconds(1)))
  }
}

/// Maintains a store in the background until it is closed or released.
package final class AutomaticMaintenance: Sendable {
  package typealias Run = @Sendable () async throws(MemoryError) -> MaintenanceReport

  private let task: Task<Void, Never>

  /// - Parameter run: Holds the memory as long as the task lives, which ends with this value.
  package init(every interval: Duration, logger: Logger, run: @escaping Run) {
    task = Task.detached(priority: .utility) {
      var hasFailed = false
      while (try? await Task.sleep(for: interval)) != nil {
        do throws(MemoryError) {
          let report = try await run()
          let failed = report.tasks.filter { $0.outcome == .failed }
          Self.log(report, logger)
          if let first = failed.first, !hasFailed {
            logger.warning(
              "maintenance failed; it is tried again, and only the first failure is logged",
              metadata: ["task": "\(first.task.rawValue)", "reason": "\(first.reason ?? "")"])
          }
          if !report.isHeld { hasFailed = !failed.isEmpty }
        } catch {
          if error.code == .closed || error.code == .cancelled { return }
          if !hasFailed {
            logger.warning(
              "maintenance failed; it is tried again, and only the first failure is logged",
              metadata: ["reason": "\(error.message)"])
          }
          hasFailed = true
        }
      }
    }
  }

  deinit { task.cancel() }

  /// Waits for the end of a slice at most.
  package func close() async {
    task.cancel()
    await task.value
  }

  private static func log(_ report: MaintenanceReport, _ logger: Logger) {
    for task in report.tasks where !task.counts.isEmpty {
      let counts = task.counts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
      logger.debug("maintenance: \(task.task.rawValue) \(counts)", metadata: ["ms": "\(task.milliseconds)"])
    }
  }
}
