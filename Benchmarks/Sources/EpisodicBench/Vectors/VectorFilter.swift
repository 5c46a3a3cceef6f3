import Episodic

/// A filter, and the rows that pass it.
struct VectorFilter {
  let name: String
  /// What is asked of it: the most that its median may be of the unfiltered one.
  let mostOfUnfiltered: Double
  let scope: Query.Scope
  let filter: Episode.Filter
  let rows: [UInt32]

  init(
    _ kind: String, _ portion: Portion, scope: Query.Scope = .everything, filter: Episode.Filter = .init(),
    rows: [UInt32]
  ) {
    name = "\(portion == .tenth ? "10" : "1") % by \(kind)"
    mostOfUnfiltered = portion == .tenth ? 0.5 : 0.2
    self.scope = scope
    self.filter = filter
    self.rows = rows
  }
}
