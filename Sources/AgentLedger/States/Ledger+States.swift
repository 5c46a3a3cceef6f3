import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Puts a new version of a state.
  ///
  /// - Parameter expected: Compare-and-set: the version that must be the current one, 0 for a state that must not be there;
  ///   `nil` for any.
  /// - Returns: The state with its new version, of which the last `limits.stateVersions` are kept.
  /// - Throws: `.conflict` if the version is another; `.invalid`, `.limitExceeded`.
  @discardableResult
  public func put(
    state name: String, of application: String, _ value: JSON, expecting expected: Int? = nil
  ) async throws(MemoryError) -> ApplicationState {
    let (application, name) = try stateName(application, name)
    try database.input.count(expected, "the expected version")
    let new = NewState(
      application: application, name: name, value: try database.input.json(value, "the state's value"))
    let versions = database.limits.stateVersions
    return try await database.write { db, now in
      try StateRow.put(new, expecting: expected, keeping: versions, at: now, db)
    }
  }

  /// The current version of a state; `nil` if there is none.
  public func state(_ name: String, of application: String) async throws(MemoryError) -> ApplicationState? {
    let (application, name) = try stateName(application, name)
    return try await database.read { db in
      try Row.fetchOne(db.cachedStatement(sql: StateRow.current), arguments: [application, name])
        .map(ApplicationState.init)
    }
  }

  /// A version of a state; `nil` if it is not kept.
  public func state(
    _ name: String, of application: String, version: Int
  ) async throws(MemoryError) -> ApplicationState? {
    let (application, name) = try stateName(application, name)
    return try await database.read { db in
      try Row.fetchOne(db.cachedStatement(sql: StateRow.versioned), arguments: [application, name, version])
        .map(ApplicationState.init)
    }
  }

  /// The versions of a state that are kept, newest first, the current one included.
  ///
  /// - Parameter version: The last one of the page before; `nil` for the first page.
  public func versions(
    ofState name: String, of application: String, before version: Int? = nil, limit: Int = 100
  ) async throws(MemoryError) -> [ApplicationState] {
    let (application, name) = try stateName(application, name)
    try database.input.page(limit)
    return try await database.read { db in
      try Row.fetchAll(
        db.cachedStatement(sql: StateRow.versions), arguments: [application, name, version ?? Int.max, limit]
      ).map(ApplicationState.init)
    }
  }

  /// The states of an application, by name.
  ///
  /// - Parameter last: The name of the last one of the page before; `nil` for the first page.
  public func states(
    of application: String, after last: String? = nil, limit: Int = 100
  ) async throws(MemoryError) -> [ApplicationState] {
    try database.input.name(application, "the application")
    try database.input.page(limit)
    let (application, last) = (application.canonicallyComposed, last?.canonicallyComposed ?? "")
    return try await database.read { db in
      try Row.fetchAll(db.cachedStatement(sql: StateRow.list), arguments: [application, last, limit])
        .map(ApplicationState.init)
    }
  }

  /// Deletes a state with its versions. Its next version goes on from the last one.
  ///
  /// - Parameter expected: The version that must be the current one; `nil` for any.
  /// - Returns: Whether it was there.
  /// - Throws: `.conflict` if the version is another.
  @discardableResult
  public func delete(
    state name: String, of application: String, expecting expected: Int? = nil
  ) async throws(MemoryError) -> Bool {
    let (application, name) = try stateName(application, name)
    try database.input.count(expected, "the expected version")
    return try await database.write(grows: false) { db, now in
      try StateRow.delete(application, name, expecting: expected, at: now, db)
    }
  }

  private func stateName(_ application: String, _ name: String) throws(MemoryError) -> (String, String) {
    try database.input.name(application, "the application")
    try database.input.name(name, "the state's name")
    return (application.canonicallyComposed, name.canonicallyComposed)
  }
}
