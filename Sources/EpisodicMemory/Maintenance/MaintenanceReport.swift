/// What a run of maintenance did.
public struct MaintenanceReport: Hashable, Codable, Sendable {
  /// What became of a task.
  public enum Outcome: String, Hashable, Codable, Sendable {
    /// It ran to its end.
    case done
    /// It would run: the run was a dry one.
    case due
    /// It ran too recently to be due.
    case notDue = "not_due"
    /// It cannot be finished now, for a reason that passes; the next run tries again.
    case postponed
    /// An error ended it; the other tasks ran.
    case failed
  }

  /// When and why a task failed.
  public struct Failure: Hashable, Codable, Sendable {
    /// When the run began that the error ended.
    public let at: Timestamp
    /// The message of the error.
    public let reason: String

    /// A failure; for doubles in tests.
    public init(at: Timestamp, reason: String) {
      self.at = at
      self.reason = reason
    }
  }

  /// One task.
  public struct Task: Hashable, Codable, Sendable {
    /// Which it is.
    public let task: MaintenanceTask
    /// What became of it.
    public let outcome: Outcome
    /// What was done, by what it was done to: `["deleted": 12]`. Without what is 0.
    public let counts: [String: Int]
    /// Why it failed or was postponed; when it is due if it is not.
    public let reason: String?
    /// How long it took.
    public let milliseconds: Int
    /// How the run before this one failed, of any process; `nil` if it did not.
    public let lastFailure: Failure?

    /// An entry of a report.
    public init(
      task: MaintenanceTask, outcome: Outcome, counts: [String: Int] = [:], reason: String? = nil,
      milliseconds: Int = 0, lastFailure: Failure? = nil
    ) {
      self.task = task
      self.outcome = outcome
      self.counts = counts
      self.reason = reason
      self.milliseconds = milliseconds
      self.lastFailure = lastFailure
    }
  }

  /// Whether another process, or another run of this one, maintains the store, so that nothing was done.
  public let isHeld: Bool
  /// The process that does; `nil` if it is not known.
  public let holder: Int32?
  /// In the order in which they ran.
  public let tasks: [Task]
  /// By the clock of the store.
  public let startedAt: Timestamp

  /// A report; for doubles in tests.
  public init(isHeld: Bool = false, holder: Int32? = nil, tasks: [Task] = [], startedAt: Timestamp) {
    self.isHeld = isHeld
    self.holder = holder
    self.tasks = tasks
    self.startedAt = startedAt
  }

  /// The entry of a task; `nil` if the run did not look at it.
  public subscript(task: MaintenanceTask) -> Task? { tasks.first { $0.task == task } }
}

extension MaintenanceRecord {
  /// How it failed; `nil` if it did not.
  package var failure: MaintenanceReport.Failure? {
    guard outcome["outcome"] == .string(MaintenanceReport.Outcome.failed.rawValue) else { return nil }
    let reason: String =
      if case .string(let text)? = outcome["reason"] { text } else { "for a reason that was not kept" }
    return MaintenanceReport.Failure(at: startedAt, reason: reason)
  }
}
