#if Passwords
  import FileLocks
  import GRDB
  import StoreRows
  public import StoreValues

  /// Derives keys, each for some 100 ms on 32 MiB: no more at once than an ordinary machine has room for.
  private let derivationWork = BlockingWork(width: 4)

  extension Ledger {
    /// Sets the password of a person, or removes it. Logins stay: end them by `revokeLogins(of:)`.
    ///
    /// Costs what a comparison costs, off the caller's executor.
    ///
    /// - Parameter password: 8 to 1024 bytes of UTF-8, compared in Unicode normalisation form C; `nil` for none.
    /// - Parameter cost: How expensive it is to guess.
    /// - Throws: `.notFound`; `.invalid`.
    public func set(
      password: String?, of id: Person.ID, cost: PasswordCost = PasswordCost()
    ) async throws(MemoryError) {
      try cost.validate()
      var verifier: String?
      if let password {
        let count = password.canonicallyComposed.utf8.count
        guard PasswordVerifier.lengths.contains(count) else {
          throw MemoryError(.invalid, "the password has \(count) bytes; choose one of 8 to 1024")
        }
        verifier = try await derivationWork.run { () throws(MemoryError) in
          try PasswordVerifier(of: password, cost).text
        }
      }
      let text = verifier
      try await database.write { db, now in
        _ = try PersonRow.require(id, at: now, db)
        try db.execute(sql: "UPDATE people SET verifier = ? WHERE id = ?", arguments: [text, id.rawValue])
      }
    }

    /// The person with a handle, if the password is that person's.
    ///
    /// Costs the same whether or not there is the person, and whether or not there is a password; how much of a password is
    /// right shows in no time. A verifier of a lower cost than `cost` is replaced by one of it.
    ///
    /// - Returns: `nil` if the handle or the password is wrong: which one, it does not say.
    public func person(
      handle: String, password: String, cost: PasswordCost = PasswordCost()
    ) async throws(MemoryError) -> Person? {
      try cost.validate()
      let handle = handle.canonicallyComposed
      let stored = try await database.read { db in
        try String.fetchOne(db.cachedStatement(sql: Self.verifier), arguments: [handle])
      }
      let found = try await derivationWork.run { () throws(MemoryError) -> (isRight: Bool, better: String?) in
        guard let stored else {
          _ = try PasswordVerifier(of: "no password", cost)
          return (false, nil)
        }
        let verifier = try PasswordVerifier(text: stored)
        guard try verifier.accepts(password) else { return (false, nil) }
        return (true, verifier.isCheaper(than: cost) ? try PasswordVerifier(of: password, cost).text : nil)
      }
      guard found.isRight else { return nil }
      if let better = found.better {
        try await database.write { db, _ in
          // Unless the password was changed meanwhile.
          try db.execute(
            sql: "UPDATE people SET verifier = ?1 WHERE handle = ?2 AND verifier = ?3",
            arguments: [better, handle, stored])
        }
      }
      return try await person(handle: handle)
    }

    private static let verifier = "SELECT verifier FROM people WHERE handle = ?"
  }
#endif
