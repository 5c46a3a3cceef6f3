/// What `bench vectors` was asked to do.
struct VectorsOptions {
  let base: String
  let queries: String
  let truth: String
  let dimensions: Int
  let k: Int
  let repeats: Int
  let batch: Int
  /// A store to keep and use again; `nil` for one of the run's own.
  let store: String?
  /// Whether hnswlib takes part, and the file of its index to keep and use again.
  let hasNeighbours: Bool
  let neighbours: String?
}
