extension Ledger {
  /// One thing that a check has looked at.
  public struct Check: Hashable, Sendable {
    /// What is looked at, in this order.
    public enum Subject: String, CaseIterable, Hashable, Sendable, Codable {
      /// Pages and indexes of the file, by SQLite itself.
      case integrity
      /// Tables, indexes and triggers.
      case schema
      /// Values that a rule of their table forbids.
      case rules
      /// Rows that name an owner which is not there.
      case owners
      /// The cost of each run and that of its prompts and tool calls.
      case costs
      /// Status, lease and worker of each task.
      case tasks
      /// The first message of each key, and those behind it.
      case outbox
      /// Runs that have ended, and what they left open.
      case runs
      /// The bytes of the pages.
      case pages
      /// The feed of changes.
      case changes
    }

    /// What was found.
    public enum Outcome: Hashable, Sendable {
      /// Nothing.
      case passed
      /// Something is not as it should be: what, and the remedy.
      case failed(String)
      /// The file itself is damaged: how, and the remedy.
      case damaged(String)
    }

    /// What was looked at.
    public let subject: Subject
    /// What was found.
    public let outcome: Outcome
  }
}
