public import StoreValues

extension Ledger {
  /// How to maintain a ledger.
  public struct MaintenanceOptions: Hashable, Sendable {
    /// Counts what retention would remove, and changes nothing.
    public var isDryRun = false
    /// Whether retention believes the clock whatever it says.
    public var isAcceptingClock = false
    /// Runs that were silent for so long have failed; `nil`: none.
    public var abandonedAfter: Duration? = .seconds(86_400)
    /// Writes the database again without free pages; writers wait meanwhile.
    public var isFull = false

    /// The defaults.
    public init() {}
  }

  /// What maintenance did.
  public struct MaintenanceReport: Hashable, Sendable {
    /// What maintenance does, in its order.
    public enum Step: String, CaseIterable, Hashable, Sendable, Codable {
      /// What is older than the retention of the ledger.
      case retention
      /// Leases of tasks and messages that ran out.
      case leases
      /// Runs that are silent.
      case runs
      /// Pages beyond the bound of bytes.
      case pages
      /// Free pages of the file.
      case freePages = "free_pages"
      /// The log.
      case log
    }

    /// What came of a step.
    public struct Outcome: Hashable, Sendable {
      /// What was done.
      public let step: Step
      /// By what was counted.
      public internal(set) var counts: [String: Int] = [:]
      /// What was in the way, with the remedy; `nil` if nothing was.
      public internal(set) var reason: String?
      /// Whether it could not be done.
      public internal(set) var hasFailed = false
      /// How long it took.
      public internal(set) var milliseconds = 0
    }

    /// Whether another run, of this or another process, maintains the ledger: nothing was done.
    public internal(set) var isHeld = false
    /// Its process, if it is known.
    public internal(set) var holder: Int32?
    /// When it began.
    public let startedAt: Timestamp
    /// In the order of the steps.
    public internal(set) var outcomes: [Outcome] = []
  }
}
