import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// What came of one attempt at a task.
  public struct TaskResult: Hashable, Sendable, Codable, Identifiable {
    /// Identifies a result.
    public typealias ID = Identifier<TaskResult>

    /// A UUID of version 7.
    public let id: ID
    /// The task it came of.
    public let task: Task.ID
    /// Whether the attempt succeeded.
    public let success: Bool
    /// What came of it: any JSON.
    public let data: JSON
    /// Why the attempt failed.
    public let error: String?
    private let durationMilliseconds: Int64?
    /// Where a picture of it is.
    public let screenshotPath: String?
    /// Where its log is.
    public let logPath: String?
    /// When it was written.
    public let createdAt: Timestamp

    /// How long the attempt took.
    public var duration: Duration? { durationMilliseconds.map { .milliseconds($0) } }

    init(_ row: Row) throws {
      id = try row.id(0)
      task = try row.id(1)
      success = try row.value(2)
      data = try row.json(3)
      error = try row.value(4)
      durationMilliseconds = try row.value(5)
      screenshotPath = try row.value(6)
      logPath = try row.value(7)
      createdAt = try row.time(8)
    }

    enum CodingKeys: String, CodingKey {
      case id
      case task = "task_id"
      case success, data, error
      case durationMilliseconds = "duration_ms"
      case screenshotPath = "screenshot_path"
      case logPath = "log_path"
      case createdAt = "created_at"
    }

    /// A result to be kept; whether it is a success, and of which task, follows from the call.
    public struct Draft: Hashable, Sendable {
      /// What came of it: any JSON.
      public var data: JSON
      /// How long the attempt took.
      public var duration: Duration?
      /// Where a picture of it is.
      public var screenshotPath: String?
      /// Where its log is.
      public var logPath: String?

      /// A result with its data: any JSON.
      public init(_ data: JSON, duration: Duration? = nil, screenshotPath: String? = nil, logPath: String? = nil) {
        (self.data, self.duration, self.screenshotPath, self.logPath) = (data, duration, screenshotPath, logPath)
      }
    }
  }
}

/// A draft that has been checked.
struct NewResult: Sendable {
  private let draft: Ledger.TaskResult.Draft
  private let data: String
  private let milliseconds: Int64?

  init(_ draft: Ledger.TaskResult.Draft, _ input: LedgerInput) throws(MemoryError) {
    self.draft = draft
    data = try input.json(draft.data, "the result's data")
    milliseconds = try input.milliseconds(draft.duration, "the result's duration")
    try input.text(draft.screenshotPath, "the result's screenshotPath")
    try input.text(draft.logPath, "the result's logPath")
  }

  func insert(
    for task: Ledger.Task.ID, success: Bool, error: String?, at now: Timestamp, _ db: Database
  ) throws -> Ledger.TaskResult.ID {
    let id = Ledger.TaskResult.ID.generate(at: now)
    try db.cachedStatement(
      sql: """
        INSERT INTO results (id, task_id, success, data, error, duration_ms, screenshot_path, log_path, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      id.rawValue, task.rawValue, success, data, error, milliseconds, draft.screenshotPath, draft.logPath,
      now.milliseconds,
    ])
    return id
  }
}

/// Rows of `results`.
enum TaskResultRow {
  private static let columns =
    "id, task_id, success, data, error, duration_ms, screenshot_path, log_path, created_at"

  static func of(_ task: Ledger.Task.ID, _ db: Database) throws -> [Ledger.TaskResult] {
    try Row.fetchAll(db.cachedStatement(sql: ofTask), arguments: [task.rawValue]).map(Ledger.TaskResult.init)
  }

  static let ofTask = "SELECT \(columns) FROM results WHERE task_id = ? ORDER BY seq"

  static func find(_ id: Ledger.TaskResult.ID, _ db: Database) throws -> Ledger.TaskResult? {
    let statement = try db.cachedStatement(sql: "SELECT \(columns) FROM results WHERE id = ?")
    return try Row.fetchOne(statement, arguments: [id.rawValue]).map(Ledger.TaskResult.init)
  }
}
