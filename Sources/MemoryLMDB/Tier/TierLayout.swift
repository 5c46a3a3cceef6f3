import LMDB

/// What is in a tier.
struct TierLayout: Sendable {
  /// Counts up when the layout of anything in it changes; files of another format are removed.
  let format: UInt32
  /// Besides `meta`, which every tier has.
  let databases: [(name: String, keys: Database.KeyKind)]
}
