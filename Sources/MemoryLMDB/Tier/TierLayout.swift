import LMDB

/// What is in a tier.
struct TierLayout: Sendable {
  /// Counts up when the layout of anything in it changes; files of another format are removed.
  let format: UInt32
  /// Besides `meta`, which every tier has.
  let databases: [(name: String, keys: Database.KeyKind)]

  /// Whether a name in a tier's directory is that of another tier: the index in the cache's, or one of a PID namespace of its
  /// own, see `LMDBTier+Apart`.
  static func isSubdirectory(_ name: String) -> Bool { name == "index" || name.hasPrefix(LMDBTier.apartPrefix) }
}
