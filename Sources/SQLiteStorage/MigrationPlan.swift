/// What a migration is about to do.
package struct MigrationPlan: Sendable {
  /// Of the database, which other connections may read meanwhile, as it was before.
  package let path: String
  /// Of the schema that the database has.
  package let version: Int
  /// Of the schema that it will have.
  package let target: Int
  /// Pages of the database, with its log, and the bytes of each.
  package let highestPage: Int
  package let pageSize: Int

  /// Bytes of a copy of the database.
  package var bytes: Int { highestPage.multipliedReportingOverflow(by: pageSize).partialValue }
}

/// What was made before a migration to be able to go back: a backup.
package struct MigrationSafeguard: Sendable {
  /// Called before the migration is committed; an error rolls the migration back.
  package var keep: @Sendable () throws -> Void
  /// Called when the migration has failed, and the database is as it was.
  package var discard: @Sendable () -> Void

  package init(keep: @escaping @Sendable () throws -> Void, discard: @escaping @Sendable () -> Void) {
    self.keep = keep
    self.discard = discard
  }

  package static let none = MigrationSafeguard(keep: {}, discard: {})
}
