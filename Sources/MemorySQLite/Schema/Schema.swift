import SQLiteStorage

/// The schema of `memory.sqlite`: the files of `migrations/memory`, embedded in the binary.
enum Schema {
  /// "EPSD": marks a database file as a memory.
  static let applicationID: Int32 = 0x4550_5344

  /// In the order of their numbers. Embedding a file replaces the first digit of its name. A test compares the list with
  /// the folder.
  static let migrations: [Migration] = [
    Migration(name: "001_initial", sql: PackageResources._01_initial_sql),
    Migration(name: "002_embeddings", sql: PackageResources._02_embeddings_sql),
    Migration(name: "003_full_text", sql: PackageResources._03_full_text_sql),
    Migration(name: "004_changes", sql: PackageResources._04_changes_sql),
    Migration(name: "005_change_rows", sql: PackageResources._05_change_rows_sql),
    Migration(name: "006_nothing_left_behind", sql: PackageResources._06_nothing_left_behind_sql),
    Migration(name: "007_patterns_and_filters", sql: PackageResources._07_patterns_and_filters_sql),
    Migration(name: "008_change_kinds", sql: PackageResources._08_change_kinds_sql),
    Migration(name: "009_idempotency_keys", sql: PackageResources._09_idempotency_keys_sql),
    Migration(
      name: "010_added_words", sql: PackageResources._10_added_words_sql,
      functions: Analysis.functions),
    Migration(name: "011_operations", sql: PackageResources._11_operations_sql),
    Migration(name: "012_consolidated_runs", sql: PackageResources._12_consolidated_runs_sql),
    Migration(name: "013_provenance", sql: PackageResources._13_provenance_sql),
    Migration(name: "014_audit", sql: PackageResources._14_audit_sql),
    Migration(name: "015_learning", sql: PackageResources._15_learning_sql),
    Migration(name: "016_encryption", sql: PackageResources._16_encryption_sql),
  ].compactMap(\.self)

  /// The digest, by `SchemaObjects`, of the schema that the migrations create: opening a store compares it without running
  /// them. A test recomputes it.
  static let digest = "6584c52d8fb8fce8b09c8919eedb2fcc4f9c404f0abdf2cb422961493683ed78"
}
