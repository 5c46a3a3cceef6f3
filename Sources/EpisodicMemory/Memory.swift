/// An episodic memory: what an agent did, what worked, and the right past attempt when it is needed again.
///
/// Open one with `Memory.open(at:)` of the module `Episodic`. A value is a handful of references: copy it, pass it between
/// tasks, call it from many at once. A write returns after its commit (I2); a read shows the last commit (I3).
///
/// ## Record — Episodes/Memory+Recording.swift
/// - ``begin(_:)`` an episode; ``append(_:to:)-step`` one step or ``append(_:to:)-steps`` many
/// - ``complete(_:successRate:)``, ``fail(_:successRate:)``, ``archive(_:)`` it; ``reopen(_:)`` undoes each of the three
/// - ``update(_:with:)`` what is said of it; ``delete(_:)-episode`` it with all that belongs to it
/// - ``insert(_:embeddings:existing:)`` whole episodes, as an import does
///
/// ## Read — Episodes/Memory+Reading.swift
/// - ``episode(_:)`` by its id; ``episodes(_:in:after:limit:)`` by filter, newest first, a page at a time
///
/// ## Recall — Search/Memory+Recall.swift
/// - ``recall(_:)`` the episodes that answer a query, by words and by meaning, best first; ``search(_:)`` only which ones
///
/// ## Patterns — Patterns/Memory+Patterns.swift
/// - ``record(_:)`` what works; ``link(_:to:)``, ``unlink(_:from:)`` it and an episode; ``markUsed(_:succeeded:)``
/// - ``pattern(_:data:)`` by its data; ``patterns(_:in:)`` by success; ``patterns(of:)`` an episode; ``delete(_:)-pattern``
///
/// ## Embeddings — Embeddings/Memory+Embeddings.swift
/// - ``embed(_:replacing:)-embedding`` an episode or a step, or many at once; ``embeddings(of:)`` an episode; ``embeddings(in:scope:after:limit:)``; ``delete(_:)-embedding``
///
/// ## Interchange — target Interchange, Memory+Interchange.swift
/// - ``importEpisodes(from:vectors:options:progress:)`` and ``exportEpisodes(to:)`` as JSON Lines
/// - ``recall(queries:vectors:to:options:)`` for every query of a file
///
/// ## Care — Tiers/Memory+Care.swift
/// - ``statistics()`` of both tiers, ``cacheStatistics()`` of one; ``check()`` every invariant; ``rebuild(progress:)`` what is derived; ``optimize()``; ``close()``
public struct Memory: Sendable {
  let primary: any PrimaryStore
  let cache: any Cache
  let index: any SearchIndex
  package let clock: any WallClock
  package let limits: Limits
  let prefetchesEnded: Bool
  let reads: ReadThrough
  let follower: IndexFollower
  let briefSearches = BriefSearches()

  /// Puts the tiers together; `Memory.open(at:)` does it for a directory.
  /// - Parameter prefetchesEnded: Whether completing or failing an episode puts it into the cache.
  /// - Parameter busyTimeout: How long a call waits for another process that keeps the cache or the index locked.
  public init(
    primary: any PrimaryStore, cache: any Cache, index: any SearchIndex = NoIndex(because: "none was given"),
    clock: any WallClock = SystemClock(), limits: Limits = Limits(), prefetchesEnded: Bool = false,
    busyTimeout: Duration = .seconds(30)
  ) {
    self.primary = primary
    self.cache = cache
    self.index = index
    self.clock = clock
    self.limits = limits
    self.prefetchesEnded = prefetchesEnded
    reads = ReadThrough(primary: primary, cache: cache)
    follower = IndexFollower(primary: primary, index: index, busyTimeout: busyTimeout)
  }
}
