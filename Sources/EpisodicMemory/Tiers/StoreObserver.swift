/// What a store reports of its work, for metrics: nothing if nobody listens, so that nothing is timed for nobody.
///
/// Each is called on the thread that did the work, and must return at once.
package struct StoreObserver: Sendable {
  /// A commit: how many calls shared it, how long the first of them waited for its transaction, and how long that took.
  package var committed: (@Sendable (_ calls: Int, _ waited: Duration, _ took: Duration) -> Void)?
  /// Steps were appended to an episode.
  package var appended: (@Sendable (_ steps: Int) -> Void)?
  /// A recall, from the cache or by a search, found so many episodes.
  package var recalled: (@Sendable (_ took: Duration, _ hits: Int) -> Void)?
  /// A task of maintenance ended.
  package var maintained: (@Sendable (_ task: String, _ took: Duration, _ hasFailed: Bool) -> Void)?

  package init() {}
}
