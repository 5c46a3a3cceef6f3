/// A task of maintenance. A run does those that are due, in this order.
public enum MaintenanceTask: String, CaseIterable, Hashable, Codable, Sendable {
  /// Goes on with erasures that were cut short, until no trace is left.
  case erasures
  /// Applies the policies of retention.
  case retention
  /// Deletes idempotency keys after seven days.
  case keys
  /// Adds words to texts that other programs wrote.
  case words
  /// Keeps what the cache answered in the hour, removes its expired entries, and the reader slots of dead processes.
  case cache
  /// Lets the index of words and vectors catch up and merges it.
  case index
  /// Deletes changes that no watcher is promised any more.
  case feed
  /// Merges the segments of the full-text indexes.
  case text
  /// Updates what the query planner knows of the tables.
  case statistics
  /// Removes files that a killed process left.
  case files
  /// Writes `memory.sqlite` again without free pages; only in a full run, because writers wait meanwhile.
  case vacuum
  /// Gives free pages of `memory.sqlite` back to the file system.
  case pages
  /// Moves the log into `memory.sqlite` and truncates it.
  case log
  /// Backs the store up if a schedule says so.
  case backup
}

/// What a run of maintenance is to do.
public struct MaintenanceOptions: Hashable, Codable, Sendable {
  /// These tasks, whether they are due or not; empty: those that are due.
  public var tasks: Set<MaintenanceTask>
  /// Whether to do everything, whether it is due or not, and to write `memory.sqlite` again without free pages: writers wait
  /// for that, about a second for each 200 MB.
  public var isFull: Bool
  /// Whether only to say what would be done.
  public var isDryRun: Bool

  /// The defaults do what is due.
  public init(tasks: Set<MaintenanceTask> = [], isFull: Bool = false, isDryRun: Bool = false) {
    self.tasks = tasks
    self.isFull = isFull
    self.isDryRun = isDryRun
  }
}

/// The progress of a run of maintenance.
public struct MaintenanceProgress: Hashable, Sendable {
  /// What runs.
  public let task: MaintenanceTask
  /// Work done of it, in units of its own.
  public let done: Int

  /// A moment of a run.
  public init(task: MaintenanceTask, done: Int) {
    self.task = task
    self.done = done
  }
}
