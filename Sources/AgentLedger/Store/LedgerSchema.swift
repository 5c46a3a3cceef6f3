import SQLiteStorage

/// The schema of `ledger.sqlite`: the files of `migrations/ledger`, embedded in the binary.
enum LedgerSchema {
  /// "EPSL": marks a database file as a ledger.
  static let applicationID: Int32 = 0x4550_534C

  /// In the order of their numbers. Embedding a file replaces the first digit of its name. A test compares the list with
  /// the folder.
  static let migrations: [Migration] = [
    Migration(name: "001_initial", sql: PackageResources._01_initial_sql)
  ].compactMap(\.self)

  /// The digest, by `SchemaObjects`, of the schema that the migrations create: opening a ledger compares it without running
  /// them. A test recomputes it.
  static let digest = "f79feb4d476c72935274710864e34d0c7b89a65bc760efa35039b0977ac983d2"
}
