/// What `bench text` was asked to do.
struct TextOptions {
  let documents: Int
  let queries: Int
  let seed: UInt64
  /// A store to keep and use again; `nil` for one of the run's own.
  let store: String?
  /// A row for each document, for recall by text and vector together.
  let vectors: String?
  let dimensions: Int?
}
