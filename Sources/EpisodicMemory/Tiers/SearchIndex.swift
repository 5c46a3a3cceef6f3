public import Vectors

/// What is derived from the primary to find words and vectors fast: disposable at any moment (I1), and equal to the
/// primary as of the snapshot it answers for, or silent (I4).
///
/// It follows the change feed. A query lends it the snapshot that it reads; what little was committed since the index was
/// last asked is taken in first, so that every vector and word committed before is found. An index that is not built, lies
/// far behind, is broken or locked stays silent, and the primary searches alone. Whoever may not wait asks for answers that
/// need no catching up.
public protocol SearchIndex: Sendable {
  /// Whether it is of any use to ask, or to follow.
  var isAvailable: Bool { get }

  /// The best `request.depth` episodes by their words (see `Ranking`), and besides those of `episodes` that match.
  ///
  /// - Parameter catchesUp: Whether it may take in what it lacks first, for which it waits for a lock and computes.
  func words(
    _ request: RecallRequest, also episodes: [Int64], in snapshot: any PrimarySnapshot, catchesUp: Bool
  ) throws(MemoryError) -> IndexAnswer<[Candidates.Words]>

  /// The vectors nearest to a query, best first, until they are of `request.depth` episodes, or of all that there are.
  ///
  /// Similarities are exact. Which vectors are among them is exact for small scopes, and else by a recall of .99 and more.
  ///
  /// - Parameter catchesUp: As for `words`.
  func neighbors(
    _ query: VectorQuery, in space: EmbeddingSpace, _ request: RecallRequest, in snapshot: any PrimarySnapshot,
    catchesUp: Bool
  ) throws(MemoryError) -> IndexAnswer<[Neighbor]>

  /// Does a piece of what lies between the index and the snapshot.
  ///
  /// Cost: a tenth of a second or less.
  func advance(in snapshot: any PrimarySnapshot) throws(MemoryError) -> IndexProgress

  /// Does a piece of what keeps it fast, which needs no primary: merges, of which one may take seconds.
  ///
  /// - Parameter isWanted: Asked now and then; where it says no, a merge ends without effect.
  /// - Returns: Whether there is more to do.
  func maintain(while isWanted: () -> Bool) -> Bool

  /// Forgets everything; it is built anew as it advances.
  ///
  /// - Returns: False where another process keeps it from doing so.
  func removeAll() -> Bool
  func statistics() -> IndexStatistics
  /// Proves that it is what the primary says, entry by entry.
  ///
  /// - Parameter busyTimeout: How long to wait for another process that keeps the index locked.
  /// - Throws: `.busy` after that, `.cancelled`.
  func check(against primary: any PrimaryStore, busyTimeout: Duration) async throws(MemoryError) -> [MemoryCheck]
  func close()
}

/// What an index has to say of a snapshot.
public enum IndexAnswer<Value: Sendable>: Sendable {
  case found(Value)
  /// It knows of commits that the snapshot does not: ask again with a newer one.
  case ahead
  /// It lacks commits of the snapshot, and was not to catch up.
  case behind
  /// It does not stand there: the primary must search alone.
  case silent
}

/// A vector and how like the query it is.
public struct Neighbor: Hashable, Sendable {
  /// Row of the embedding.
  public let vector: Int64
  /// Row of its episode.
  public let episode: Int64
  /// By the metric of the query's space, exact; see `VectorQuery.similarity`.
  public let similarity: Double

  public init(vector: Int64, episode: Int64, similarity: Double) {
    self.vector = vector
    self.episode = episode
    self.similarity = similarity
  }
}

/// How far an index has come.
public enum IndexProgress: Hashable, Sendable {
  /// It equals the snapshot.
  case arrived
  /// It is being made from the primary's rows: `done` of about `total`.
  case building(stage: IndexStage, done: Int, total: Int)
  /// It follows the feed.
  case following
  /// Another process is at it, or holds the lock.
  case waiting
  /// It cannot be used any more.
  case unavailable
}

/// What an index is made of, in the order in which it is built.
public enum IndexStage: String, CaseIterable, Sendable { case words, vectors }

/// What an index holds.
public struct IndexStatistics: Hashable, Sendable {
  /// Why there is none; `nil` where there is one.
  public var unavailable: String?
  /// Since when there is none; `nil` where there is one, or none is wanted.
  public var unavailableSince: Timestamp?
  /// When opening it is tried again, by whoever searches then.
  public var nextAttempt: Timestamp?
  /// Why nothing can be written to it: it answers from what it has, as long as nothing is committed.
  public var notWritable: String?
  public var notWritableSince: Timestamp?
  /// Whether it has been built and follows the primary.
  public var isBuilt = false
  public var watermark: Watermark?
  public var vectors = 0
  /// Of codes, rows and columns: without the float32 vectors, which are in the primary.
  public var vectorBytes = 0
  /// Contexts and steps.
  public var documents = 0
  public var wordBytes = 0
  public var fileBytes: Int64 = 0

  public init() {}

  public init(unavailable reason: String) { unavailable = reason }
}

/// No index: the primary searches alone.
public struct NoIndex: SearchIndex {
  private let reason: String

  public init(because reason: String) { self.reason = reason }

  public var isAvailable: Bool { false }
  public func words(
    _ request: RecallRequest, also episodes: [Int64], in snapshot: any PrimarySnapshot, catchesUp: Bool
  ) throws(MemoryError) -> IndexAnswer<[Candidates.Words]> { .silent }
  public func neighbors(
    _ query: VectorQuery, in space: EmbeddingSpace, _ request: RecallRequest, in snapshot: any PrimarySnapshot,
    catchesUp: Bool
  ) throws(MemoryError) -> IndexAnswer<[Neighbor]> { .silent }
  public func advance(in snapshot: any PrimarySnapshot) throws(MemoryError) -> IndexProgress { .unavailable }
  public func maintain(while isWanted: () -> Bool) -> Bool { false }
  public func removeAll() -> Bool { true }
  public func statistics() -> IndexStatistics { IndexStatistics(unavailable: reason) }
  public func check(against primary: any PrimaryStore, busyTimeout: Duration) async throws(MemoryError) -> [MemoryCheck]
  {
    []
  }
  public func close() {}
}
