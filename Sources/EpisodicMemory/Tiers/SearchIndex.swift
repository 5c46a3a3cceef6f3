/// Finds words and vectors faster than the primary can: derived from it, disposable at any moment (I1), and either equal to
/// the snapshot that it answers for or `.silent` (I4).
///
/// An index follows the change feed. A query lends it the primary's snapshot; changes that the index lacks are applied
/// first if they are few. An index that is not built, lies far behind, is damaged or locked answers `.silent`, and the
/// primary searches without it.
package protocol SearchIndex: Sendable {
  /// Whether the index can answer or follow at all.
  var isAvailable: Bool { get }

  /// Lends `body` the candidates of a request, found in one snapshot of the index at the watermark of `source`. What `body`
  /// has asked before it throws is done for nothing.
  ///
  /// - Parameter catchesUp: Whether to apply missing changes first, which waits for a lock and computes for milliseconds.
  func search<Value: Sendable>(
    _ request: RecallRequest, in source: any IndexSource, catchesUp: Bool,
    _ body: (any CandidateSource) throws(MemoryError) -> Value
  ) throws(MemoryError) -> IndexAnswer<Value>

  /// Does one step of the work between the index and the snapshot, of 100 ms or less.
  func advance(in source: any IndexSource) throws(MemoryError) -> IndexProgress

  /// Does one step of maintenance, which needs no primary. A merge may take seconds.
  ///
  /// - Parameter isWanted: Called between pieces of a merge; false ends the merge without effect.
  /// - Returns: Whether there is more to do.
  func maintain(while isWanted: () -> Bool) -> Bool

  /// Removes all content; `advance` builds it again.
  ///
  /// - Returns: False if another process keeps the index locked.
  func removeAll() -> Bool
  func statistics() -> IndexStatistics
  /// Compares the index with the primary, entry by entry, in one snapshot of both.
  ///
  /// - Returns: `nil` if the index does not stand at the snapshot.
  func check(in source: any IndexSource) throws(MemoryError) -> [MemoryCheck]?
  func close()
}

/// The answer of an index for one snapshot of the primary.
package enum IndexAnswer<Value: Sendable>: Sendable {
  case found(Value)
  /// The index has commits that the snapshot lacks: repeat with a newer snapshot.
  case ahead
  /// The index lacks commits of the snapshot, and `catchesUp` was false.
  case behind
  /// The index cannot answer for this snapshot: search the primary.
  case silent
}

/// Where an index stands after one step of following the primary.
package enum IndexProgress: Hashable, Sendable {
  /// It equals the snapshot.
  case arrived
  /// It is being built from the primary's rows: `done` of about `total`.
  case building(stage: IndexStage, done: Int, total: Int)
  /// It applied a part of the feed.
  case following
  /// Another process holds the lock.
  case waiting
  /// It cannot be used any more.
  case unavailable
}

/// The parts of an index, in the order in which they are built.
package enum IndexStage: String, CaseIterable, Sendable { case words, vectors }

/// What an index holds.
public struct IndexStatistics: Hashable, Sendable {
  /// Why there is no index; `nil` if there is one.
  public var unavailable: String?
  /// Since when there is no index; `nil` if there is one, or none is wanted.
  public var unavailableSince: Timestamp?
  /// When the next search tries to open it again.
  public var nextAttempt: Timestamp?
  /// Why it cannot be written to. Until the next commit it still answers from what it has.
  public var notWritable: String?
  /// Since when it cannot be written to; `nil` if it can.
  public var notWritableSince: Timestamp?
  /// Whether it has been built and follows the primary.
  public var isBuilt = false
  /// The last change that the index has applied; `nil` before it is built.
  public var watermark: Watermark?
  /// How many vectors are indexed.
  public var vectors = 0
  /// Of codes, rows and columns, without the float32 vectors, which are in the primary.
  public var vectorBytes = 0
  /// Contexts and steps.
  public var documents = 0
  /// Of the word index.
  public var wordBytes = 0
  /// Size of the index's file.
  public var fileBytes: Int64 = 0

  package init() {}

  package init(unavailable reason: String) { unavailable = reason }
}

/// No index: the primary searches alone.
package struct NoIndex: SearchIndex {
  private let reason: String

  package init(because reason: String) { self.reason = reason }

  package var isAvailable: Bool { false }
  package func search<Value: Sendable>(
    _ request: RecallRequest, in source: any IndexSource, catchesUp: Bool,
    _ body: (any CandidateSource) throws(MemoryError) -> Value
  ) throws(MemoryError) -> IndexAnswer<Value> { .silent }
  package func advance(in source: any IndexSource) throws(MemoryError) -> IndexProgress { .unavailable }
  package func maintain(while isWanted: () -> Bool) -> Bool { false }
  package func removeAll() -> Bool { true }
  package func statistics() -> IndexStatistics { IndexStatistics(unavailable: reason) }
  package func check(in source: any IndexSource) throws(MemoryError) -> [MemoryCheck]? { nil }
  package func close() {}
}
