import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Adds a person.
  ///
  /// - Throws: `.invalid`, also for a time zone that does not exist; `.conflict` if the handle or the id is taken.
  @discardableResult
  public func add(_ draft: Person.Draft) async throws(MemoryError) -> Person {
    let new = try NewPerson(draft, database.input)
    return try await database.write { db, now in try new.insert(at: now, db) }
  }

  /// Changes a person.
  ///
  /// - Throws: `.notFound`; `.invalid`; `.conflict` if the new handle is taken.
  @discardableResult
  public func update(person id: Person.ID, _ changes: Person.Changes) async throws(MemoryError) -> Person {
    let changes = try PersonChanges(changes, database.input)
    return try await database.write { db, now in try changes.make(of: id, at: now, db) }
  }

  /// The person with an id; `nil` if there is none.
  public func person(_ id: Person.ID) async throws(MemoryError) -> Person? {
    let now = database.clock.now()
    return try await database.read { db in try PersonRow.find(id, at: now, db) }
  }

  /// The person with a handle; `nil` if there is none.
  public func person(handle: String) async throws(MemoryError) -> Person? {
    let now = database.clock.now()
    return try await database.read { db in try PersonRow.find(handle: handle.canonicallyComposed, at: now, db) }
  }

  /// People by filter, in its order.
  ///
  /// - Parameter last: The last one of the page before; `nil` for the first page.
  /// - Parameter limit: 1 to `limits.results`.
  /// - Throws: `.notFound` if the last one of the page before is not there any more, or was not active yet.
  public func people(
    _ filter: Person.Filter = .all, after last: Person.ID? = nil, limit: Int = 50
  ) async throws(MemoryError) -> [Person] {
    try database.input.page(limit)
    let now = database.clock.now()
    return try await database.read { db in try PeopleQuery(filter).page(after: last, limit: limit, at: now, db) }
  }

  /// Removes a person with logins, preferences and notices. Tasks and events stay, and are nobody's.
  ///
  /// - Throws: `.notFound`.
  public func remove(person id: Person.ID) async throws(MemoryError) {
    try await database.write(grows: false) { db, now in
      _ = try PersonRow.require(id, at: now, db)
      try db.execute(sql: "DELETE FROM people WHERE id = ?", arguments: [id.rawValue])
    }
  }

  /// How many people were added on each day of UTC, with the running total; days on which nobody was added are left out.
  ///
  /// - Parameter start: The first day is that of this time; `nil` for the first of all.
  /// - Parameter limit: Days at most, the first ones.
  public func growth(since start: Timestamp? = nil, limit: Int = 366) async throws(MemoryError) -> [PeopleGrowth] {
    try database.input.page(limit)
    try database.input.time(start, "since")
    return try await database.read { db in try PeopleQuery.growth(since: start, limit: limit, db) }
  }

  /// The people with the most tasks.
  ///
  /// - Parameter start: Of tasks that were added at this time or later; `nil` for all.
  /// - Returns: Most tasks first; of as many, the person added first.
  public func topPeople(since start: Timestamp? = nil, limit: Int = 10) async throws(MemoryError) -> [PersonTasks] {
    try database.input.page(limit)
    try database.input.time(start, "since")
    let now = database.clock.now()
    return try await database.read { db in try PeopleQuery.top(since: start, limit: limit, at: now, db) }
  }
}
