/// Work on the primary's files and tables that changes no answer, done in slices.
package enum MaintenanceWork: Hashable, Sendable {
  /// Deletes changes that no watcher is promised any more. Amount: rows.
  ///
  /// - Parameter applied: The revision that every follower of this process has applied; `nil`: there is no follower.
  case feed(applied: Int64?)
  /// Deletes idempotency keys that are too old. Amount: rows.
  case idempotencyKeys
  /// Adds words to texts that other programs wrote. Amount: rows.
  case addedWords
  /// Merges segments of a full-text index. Amount: pages.
  ///
  /// - Parameter begins: Whether this is the first slice of a merge of all segments into one.
  case mergeText(TextIndex, begins: Bool)
  /// Merges segments that the deletion of episodes leaves, and has inserts merge none until `.letInsertsMergeText`. Amount: pages
  /// of a piece, of which a slice does as many as it has time for.
  case mergeTextBesideDeletions
  /// Has inserts merge segments again, also if a process was killed while they did not.
  case letInsertsMergeText
  /// Updates what the query planner knows of a table.
  ///
  /// - Parameter table: Its place among all, from 0.
  case statistics(table: Int)
  /// Gives free pages back to the file system. Amount: pages.
  case freePages
  /// Moves the log into the database file and truncates it, if nobody reads or writes.
  case log
  /// Removes files that a process left which was killed while it made them.
  case temporaryFiles
  /// Writes the database file again without free pages. Writers wait meanwhile.
  case vacuum
}

/// The full-text indexes of the primary.
package enum TextIndex: String, CaseIterable, Sendable {
  case episodes = "episodes_text"
  case steps = "steps_text"
  case patterns = "patterns_text"
}

/// What a slice did.
package struct MaintenanceSlice: Hashable, Sendable {
  /// In units of the work; bytes for `.log` and `.vacuum`, files for `.temporaryFiles`.
  package var done: Int
  /// Whether nothing is left to do.
  package var isComplete: Bool
  /// How long writers had to wait for it.
  package var held: Duration
  /// Why the rest cannot be done now; `nil` if it can.
  package var obstacle: String?

  package init(done: Int = 0, isComplete: Bool = true, held: Duration = .zero, obstacle: String? = nil) {
    self.done = done
    self.isComplete = isComplete
    self.held = held
    self.obstacle = obstacle
  }
}

/// The right to maintain a store, which one process has at a time. The kernel takes it back from a process that dies.
package enum MaintenanceLease: Sendable {
  /// This process has it until `release` is called.
  case held(release: @Sendable () -> Void)
  /// Another one has it; `nil` if its number is not known.
  case taken(pid: Int32?)
}

/// When a task of maintenance ran last.
package struct MaintenanceRecord: Hashable, Sendable {
  package let task: String
  package let startedAt: Timestamp
  /// `nil`: it was cut short.
  package let finishedAt: Timestamp?
  package let outcome: JSON

  package init(task: String, startedAt: Timestamp, finishedAt: Timestamp?, outcome: JSON) {
    self.task = task
    self.startedAt = startedAt
    self.finishedAt = finishedAt
    self.outcome = outcome
  }
}

/// How much a slice of maintenance does, from how long the last ones held the writer up.
package struct SliceSize: Sendable {
  /// A quarter of the 20 ms that a slice may take: the commit, its sync and a checkpoint come on top.
  package static let target = Duration.milliseconds(5)

  package private(set) var amount: Int
  private let maximum: Int

  package init(_ amount: Int, maximum: Int) {
    self.amount = max(1, min(amount, maximum))
    self.maximum = max(1, maximum)
  }

  /// Halves after a slice that took too long, and more if it took several times as long; doubles after one that took less
  /// than half.
  package mutating func adapt(to held: Duration) {
    if held > Self.target {
      let ratio = held / Self.target
      amount = max(1, Int(Double(amount) / min(max(ratio, 2), 16)))
    } else if held * 2 < Self.target {
      amount = min(maximum, amount * 2)
    }
  }
}
