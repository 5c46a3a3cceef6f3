import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// A request to write events.
struct EventAppend: Sendable {
  var events: [NewEvent]
  /// Whether an event stays that refers to something that is not there; it refers to nothing then.
  let isLenient: Bool

  /// Requests that share a commit share INSERT statements too.
  static func batch(_ database: LedgerDatabase) -> BatchedWrite<EventAppend, Void> {
    database.batch { appends, db, now in
      var known = KnownRows()
      var rows: [NewEvent] = []
      let results = try appends.map { append in
        do {
          rows += try append.checked(&known, db)
          return Result<Void, any Error>.success(())
        } catch let error as MemoryError where error.code != .corrupted {
          return .failure(error)
        }
      }
      try EventRow.insert(rows, at: now, db)
      return results
    }
  }

  private func checked(_ known: inout KnownRows, _ db: Database) throws -> [NewEvent] {
    try events.map { event in
      let references = EventReferences(
        lacksRun: try known.lacks(event.draft.run, .runs, db), lacksTask: try known.lacks(event.draft.task, .tasks, db),
        lacksPerson: try known.lacks(event.draft.person, .people, db))
      if isLenient {
        var event = event
        event.detach(from: references)
        return event
      }
      if references.lacksRun, let run = event.draft.run { throw MemoryError.noRun(run) }
      if references.lacksTask, let task = event.draft.task { throw MemoryError.noTask(task) }
      if references.lacksPerson, let person = event.draft.person {
        throw MemoryError(.notFound, "no person \"\(person)\"; add the person first")
      }
      return event
    }
  }
}
