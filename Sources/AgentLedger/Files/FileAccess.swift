public import StoreValues

extension Ledger {
  /// That a run or a task read, wrote, created or deleted a file.
  public struct FileAccess: Hashable, Sendable, Codable {
    /// Later ones have higher numbers.
    public let number: Int64
    /// Of the file, as it was given.
    public let path: String
    /// What was done to it.
    public let operation: Operation
    /// Who did it, if a run did.
    public let run: Run.ID?
    /// For which task it was done.
    public let task: Task.ID?
    /// When it was done.
    public let at: Timestamp

    enum CodingKeys: String, CodingKey {
      case number, path, operation, at
      case run = "run_id"
      case task = "task_id"
    }
  }
}

extension Ledger.FileAccess {
  /// What is done to a file.
  public enum Operation: String, Hashable, Sendable, Codable, CaseIterable {
    /// Its content was read.
    case read
    /// Its content was changed.
    case write
    /// It was not there before.
    case create
    /// It is not there any more.
    case delete
  }

  /// A file access to be recorded.
  public struct Draft: Hashable, Sendable {
    /// Of the file; kept as it is given.
    public var path: String
    /// What was done to it.
    public var operation: Operation
    /// Who did it; it is forgotten with the run.
    public var run: Ledger.Run.ID?
    /// For which task it was done; it is forgotten with the task.
    public var task: Ledger.Task.ID?
    /// When it was done; `nil` for now.
    public var at: Timestamp?

    /// An access by a run, or for a task, or both.
    public init(
      _ operation: Operation, of path: String, run: Ledger.Run.ID? = nil, task: Ledger.Task.ID? = nil
    ) {
      (self.operation, self.path, self.run, self.task) = (operation, path, run, task)
    }
  }

  /// Which file accesses a list has; `nil` for any.
  public struct Filter: Hashable, Sendable {
    /// Of this file.
    public var path: String?
    /// By this run.
    public var run: Ledger.Run.ID?
    /// For this task.
    public var task: Ledger.Task.ID?
    /// Of this kind.
    public var operation: Operation?

    /// Every access.
    public init(
      path: String? = nil, run: Ledger.Run.ID? = nil, task: Ledger.Task.ID? = nil, operation: Operation? = nil
    ) {
      (self.path, self.run, self.task, self.operation) = (path, run, task, operation)
    }
  }
}
