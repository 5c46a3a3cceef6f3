import GRDB
import SQLiteStorage
import StoreRows
public import StoreValues

extension Ledger {
  /// Reads everything once, and says what is not as it should be; nothing is changed.
  ///
  /// While the file is found damaged, this process takes no more writes of it; a check that finds no damage ends that.
  ///
  /// - Returns: One for each subject, in their order; each that has not passed names its remedy.
  public func check() async throws(MemoryError) -> [Check] {
    let checks = try await check(Check.Subject.allCases)
    let damage = checks.compactMap { check in
      if case .damaged(let reason) = check.outcome { reason } else { nil }
    }.first
    if let damage { database.stored.refuseWrites(because: damage) } else { database.stored.acceptWrites() }
    return checks
  }

  /// The same of some subjects.
  package func check(_ subjects: [Check.Subject]) async throws(MemoryError) -> [Check] {
    let stored = database.stored
    return try await database.read { db in
      try subjects.map { subject in
        do {
          return Check(subject: subject, outcome: try LedgerCheck(db, stored).outcome(of: subject))
        } catch {
          let error = MemoryError(storage: error, path: stored.path)
          guard error.code == .corrupted else { throw error }
          return Check(subject: subject, outcome: .damaged(error.message))
        }
      }
    }
  }
}
