/// How a finished run of a ledger becomes an episode, at most once (I7).
package enum Consolidation {
  /// What became of a run.
  package enum Outcome: Sendable, Hashable {
    /// It is an episode now.
    case inserted
    /// It became one before; that one may have been deleted since.
    case known
    /// Its episode was erased: the run is to be erased, too.
    case erased
  }
}
