public import StoreValues

extension Ledger {
  /// A process, or a part of one, that works on tasks.
  public struct Worker: Hashable, Sendable, Codable, Identifiable {
    public typealias ID = Identifier<Worker>

    public let id: ID
    public var kind: Kind
    public var pid: Int?
    public var status: Status
    /// Of several, the one it claimed last.
    public var currentTask: Task.ID?
    public var tasksCompleted: Int
    /// How often it was started.
    public var launches: Int
    public var memoryBytes: Int64?
    public var lastHeartbeat: Timestamp
    public var createdAt: Timestamp
    /// When it was started again, last.
    public var restartedAt: Timestamp?

    enum CodingKeys: String, CodingKey {
      case id, kind, pid, status
      case currentTask = "current_task"
      case tasksCompleted = "tasks_completed"
      case launches
      case memoryBytes = "memory_bytes"
      case lastHeartbeat = "last_heartbeat"
      case createdAt = "created_at"
      case restartedAt = "restarted_at"
    }

    /// What a worker works with. An open set.
    public struct Kind: OpenName {
      public let rawValue: String
      public init(rawValue: String) { self.rawValue = rawValue }

      public static let browser = Kind(rawValue: "browser")
    }

    /// What a worker is doing.
    public enum Status: String, Hashable, Sendable, Codable, CaseIterable {
      case idle, busy, crashed, restarting, stopped
    }
  }
}
