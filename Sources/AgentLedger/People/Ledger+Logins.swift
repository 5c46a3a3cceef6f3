import Foundation
import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Logs a person in whom the application has recognised.
  ///
  /// - Parameter lifetime: At least a second.
  /// - Returns: The token, which is shown this once: of it the ledger keeps a digest with a key of its own.
  /// - Throws: `.notFound`; `.invalid`.
  public func logIn(
    _ id: Person.ID, for lifetime: Duration = .seconds(30 * 86_400)
  ) async throws(MemoryError) -> Login.Token {
    _ = try database.input.milliseconds(lifetime, "the login's lifetime", atLeast: .seconds(1))
    let text = LoginTokens.random()
    let digest = Data(LoginTokens(identity).digest(of: text))
    return try await database.write { db, now in
      _ = try PersonRow.require(id, at: now, db)
      try db.execute(sql: LoginRow.removingExpired, arguments: [now.milliseconds])
      let end = now.advanced(by: lifetime)
      try db.execute(
        sql: "INSERT INTO logins (digest, person_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
        arguments: [digest, id.rawValue, now.milliseconds, end.milliseconds])
      try db.execute(
        sql: "UPDATE people SET last_active = ? WHERE id = ?", arguments: [now.milliseconds, id.rawValue])
      return Login.Token(text: text, expiresAt: end)
    }
  }

  /// Whose a token is; `nil` if it is nobody's, has expired or was revoked.
  public func person(withToken text: String) async throws(MemoryError) -> Person? {
    let digest = Data(LoginTokens(identity).digest(of: text))
    let now = database.clock.now()
    return try await database.read { db in
      let statement = try db.cachedStatement(sql: LoginRow.owner)
      guard let id = try String.fetchOne(statement, arguments: [digest, now.milliseconds]) else { return nil }
      return try PersonRow.find(Person.ID(composed: id), at: now, db)
    }
  }

  /// The logins of a person that have not expired, the last one first.
  public func logins(of id: Person.ID) async throws(MemoryError) -> [Login] {
    let now = database.clock.now()
    return try await database.read { db in
      try Row.fetchAll(db.cachedStatement(sql: LoginRow.ofPerson), arguments: [id.rawValue, now.milliseconds])
        .map { Login(person: try $0.id(0), createdAt: try $0.time(1), expiresAt: try $0.time(2)) }
    }
  }

  /// Ends a login.
  ///
  /// - Returns: False if the token was nobody's.
  @discardableResult
  public func revoke(token text: String) async throws(MemoryError) -> Bool {
    let digest = Data(LoginTokens(identity).digest(of: text))
    return try await database.write(grows: false) { db, _ in
      try db.execute(sql: "DELETE FROM logins WHERE digest = ?", arguments: [digest])
      return db.changesCount > 0
    }
  }

  /// Ends all logins of a person.
  ///
  /// - Returns: How many there were, with those that had expired.
  @discardableResult
  public func revokeLogins(of id: Person.ID) async throws(MemoryError) -> Int {
    try await database.write(grows: false) { db, _ in
      try db.execute(sql: LoginRow.removingOfPerson, arguments: [id.rawValue])
      return db.changesCount
    }
  }
}

/// Statements over `logins`.
enum LoginRow {
  static let owner = "SELECT person_id FROM logins WHERE digest = ?1 AND expires_at > ?2"
  static let ofPerson = """
    SELECT person_id, created_at, expires_at FROM logins WHERE person_id = ?1 AND expires_at > ?2
    ORDER BY created_at DESC, digest
    """
  static let removingOfPerson = "DELETE FROM logins WHERE person_id = ?"
  static let removingExpired = "DELETE FROM logins WHERE expires_at <= ?"
}
