public import StoreValues

extension Ledger {
  /// A process, or a part of one, that works on tasks.
  public struct Worker: Hashable, Sendable, Codable, Identifiable {
    /// Identifies a worker.
    public typealias ID = Identifier<Worker>

    /// A name of the application's own, or a UUID of version 7.
    public let id: ID
    /// What it works with.
    public var kind: Kind
    /// The number of its process.
    public var pid: Int?
    /// What it is doing.
    public var status: Status
    /// Of several, the one it claimed first; when that ends, the one that is next by priority and age.
    public var currentTask: Task.ID?
    /// Tasks that it completed, over all its launches.
    public var tasksCompleted: Int
    /// How often it was started.
    public var launches: Int
    /// What it said last of its memory.
    public var memoryBytes: Int64?
    /// When it was heard of last. A claim is noted once a second, while it works on another task.
    public var lastHeartbeat: Timestamp
    /// When it was registered first.
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
      /// The name as it is stored.
      public let rawValue: String
      /// A kind of the application's own.
      public init(rawValue: String) { self.rawValue = rawValue }

      /// It drives a browser.
      public static let browser = Kind(rawValue: "browser")
    }

    /// What a worker is doing.
    public enum Status: String, Hashable, Sendable, Codable, CaseIterable {
      /// What a worker says of itself, or is said of it.
      case idle, busy, crashed, restarting, stopped
    }
  }
}
