extension Ledger {
  /// One committed change, as ``changes(after:of:)`` tells it. What was changed may have been changed again when it is read.
  public struct Change: Hashable, Sendable {
    /// What is told.
    public enum Kind: String, CaseIterable, Hashable, Sendable, Codable {
      /// A task was added, or has another status.
      case task
      /// A run was started, or has another status.
      case run
      /// A message was delivered, was given up, or was put back.
      case outbox
      /// A notice was made, or what became of it is known.
      case notice
      /// A worker was registered, or is not at work as before.
      case worker
      /// A state of an application was set or deleted.
      case state
    }

    /// What was changed.
    public enum Subject: Hashable, Sendable {
      /// Of the kind `task`.
      case task(Task.ID)
      /// Of the kind `run`.
      case run(Run.ID)
      /// Of the kind `outbox`.
      case message(OutboxMessage.ID)
      /// Of the kind `notice`.
      case notice(Notice.ID)
      /// Of the kind `worker`.
      case worker(Worker.ID)
      /// Of the kind `state`.
      case state(application: String, name: String)
    }

    /// What was changed.
    public let subject: Subject
    /// Of a task or a run.
    public let domain: String?
    /// The place after this change: what to store, together with what was done about the change, to go on from there.
    public let cursor: Cursor

    /// Why changes may be missing. What depends on them has to be read again.
    public enum Gap: String, CaseIterable, Hashable, Sendable, Codable {
      /// The feed does not reach back to the cursor: see `Retention.Topic.changes`.
      case pruned
      /// The cursor is of another ledger, or of another history of this one: a backup was restored.
      case otherHistory = "other_history"
    }

    /// A place in the history of one ledger, between two changes. Opaque; it survives restarts.
    public struct Cursor: Hashable, Sendable, Codable, RawRepresentable {
      /// Of the ledger; `nil` before the first change of any.
      let ledger: String?
      let revision: Int64

      init(_ revision: Int64, of ledger: String) { (self.ledger, self.revision) = (ledger, revision) }

      private init(beginning: Void) { (ledger, revision) = (nil, 0) }

      /// Before the first change.
      public static let beginning = Cursor(beginning: ())

      /// `nil` for a text that is no cursor.
      public init?(rawValue: String) {
        if rawValue == Self.beginning.rawValue {
          self = .beginning
          return
        }
        let parts = rawValue.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, let revision = Int64(parts[1]), revision >= 0 else { return nil }
        self.init(revision, of: String(parts[0]))
      }

      /// As it is stored.
      public var rawValue: String { ledger.map { "\($0).\(revision)" } ?? "beginning" }
    }
  }
}

extension Ledger.Change.Subject {
  /// What is told.
  public var kind: Ledger.Change.Kind {
    switch self {
    case .task: .task
    case .run: .run
    case .message: .outbox
    case .notice: .notice
    case .worker: .worker
    case .state: .state
    }
  }
}
