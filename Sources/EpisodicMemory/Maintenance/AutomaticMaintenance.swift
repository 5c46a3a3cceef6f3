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
      /// Tasks that failed, until they are done to their end; `nil` for a whole run.
      var failing: Set<MaintenanceTask?> = []
      func failed(_ task: MaintenanceTask?, _ reason: String) {
        guard failing.insert(task).inserted else { return }
        var event: Logger.Metadata = ["event": "maintenance.failed", "error": "\(reason)"]
        event["task"] = task.map { "\($0.rawValue)" }
        logger.warning(
          "maintenance failed; it is tried again, and only the first failure is logged", metadata: event)
      }
      func succeeded(_ task: MaintenanceTask?) {
        guard failing.remove(task) != nil else { return }
        var event: Logger.Metadata = ["event": "maintenance.recovered"]
        event["task"] = task.map { "\($0.rawValue)" }
        logger.notice("maintenance works again", metadata: event)
      }
      while (try? await Task.sleep(for: interval)) != nil {
        do throws(MemoryError) {
          let report = try await run()
          Self.log(report, logger)
          for task in report.tasks {
            switch task.outcome {
            case .failed: failed(task.task, task.reason ?? "")
            case .done: succeeded(task.task)
            // One that is not due or has to wait has not been tried to its end.
            case .due, .notDue, .postponed: break
            }
          }
          succeeded(nil)
        } catch {
          if error.code == .closed || error.code == .cancelled { return }
          failed(nil, error.message)
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
      logger.debug(
        "maintenance: \(task.task.rawValue) \(counts)",
        metadata: [
          "event": "maintenance.done", "task": "\(task.task.rawValue)", "duration_ms": "\(task.milliseconds)",
        ])
    }
  }
}
