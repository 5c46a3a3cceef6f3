import EpisodicMemory

/// What one step of building or following may take into the index.
///
/// Bounded by bytes, since rows may be of ten bytes or of a megabyte. What is taken in is held about five times before the
/// step is committed: in arrays that grew by doubling, as sorted postings, as the encoded segment, and in LMDB's dirty
/// pages. So a step of 8 MiB stays below 64 MiB.
struct StepBudget: Sendable {
  /// Texts; together with the bytes a bound on the time that a step takes.
  var rows = 8192
  var vectors = SlabLayout.capacity
  /// Of tokens, terms and encoded vectors, see `IndexBatch.byteCount`. A single row may be larger.
  var bytes = 8 << 20

  /// For a single change, which cannot be taken in parts.
  static let unlimited = StepBudget(rows: .max, vectors: .max, bytes: .max)

  func limit(for table: IndexedTable) -> Int { table == .vectors ? vectors : rows }
}
