/// An episodic memory: what an agent did, what worked, and the past attempts that match a new task.
///
/// `Memory.open(at:)` of the module `Episodic` opens one. A value is a few references: copy it, share it between tasks, call
/// it concurrently. A write returns after its commit (I2); a read returns nothing older than the last commit (I3).
///
/// ## Record: Episodes/Memory+Recording.swift
/// - ``begin(_:)`` an episode; ``append(_:to:)->Step`` one step or ``append(_:to:)->[Step]`` several
/// - ``complete(_:successRate:)``, ``fail(_:successRate:)`` or ``archive(_:)`` it; ``reopen(_:)`` undoes each of the three
/// - ``update(_:with:)`` its description; ``delete(_:)`` it with its steps, vectors and links
/// - ``insert(_:embeddings:existing:)`` whole episodes, as an import does
///
/// ## Write together, or stay in a domain: Writing/Memory+Writing.swift, Domains/DomainMemory.swift
/// - ``write(_:)`` with several verbs in one commit; ``domain(_:)`` is a handle to one domain, with the same verbs
///
/// ## Read: Episodes/Memory+Reading.swift
/// - ``episode(_:steps:)`` by its id, ``episodes(_:steps:)`` by theirs; ``steps(of:after:limit:)`` of one, a page at a time
/// - ``episodes(_:in:after:limit:steps:)`` by filter, newest first; ``domains()``; ``sessions(in:after:limit:)``
///
/// ## Recall: Recall/Memory+Recall.swift
/// - ``recall(_:)`` the episodes that match a query by words and by vector, best first; ``search(_:)`` returns only their ids
/// - ``explain(_:whyNot:)`` a recall: Recall/Memory+Explain.swift
///
/// ## Recall for a model: Recall/Memory+Neighbors.swift
/// - ``recall(_:neighbors:)`` with the episodes beside each in its session; ``recall(_:tokens:)`` as much as a model may read
///
/// ## Watch: Watching/Memory+Watching.swift
/// - ``changes(after:in:)`` of any process, in the order of commits; ``changeCursor()`` after the last one
///
/// ## Patterns: Patterns/Memory+Patterns.swift, Learning/Memory+Learning.swift
/// - ``record(_:)`` a pattern; ``link(_:to:)`` it to an episode, ``unlink(_:from:)`` it; ``markUsed(_:succeeded:)``
/// - ``pattern(_:data:in:)`` by its data; ``patterns(_:in:)`` by words, part and success; ``patterns(of:)`` an episode; ``delete(pattern:)``
/// - ``learn(_:progress:)`` them from finished episodes; ``validateLearning(splits:options:)``; ``explain(pattern:options:)`` one
/// - ``advise(for:limit:holdOut:)`` a running episode, ``loopWarning(for:)``; ``feedback(_:taken:helped:)``
///
/// ## Embeddings: Embeddings/Memory+Embeddings.swift
/// - ``embed(_:replacing:)->Embedding`` an episode or a step, or several at once; ``delete(embedding:)``
/// - ``embeddings(of:)`` an episode; ``embeddings(in:scope:after:limit:)`` of a space
///
/// ## Interchange: target Interchange, Memory+Interchange.swift
/// - ``importEpisodes(from:vectors:options:progress:)`` and ``exportEpisodes(to:)`` as JSON Lines; ``exportAudit(to:)``
/// - ``recall(queries:vectors:to:options:)`` for every query of a file
///
/// ## Keep for years: Retention/Memory+Retention.swift, Maintenance/Memory+Maintaining.swift, Backups/Memory+Backups.swift
/// - ``retention()`` policies; ``setRetention(_:for:allowingUnknownDomain:)``; ``removeRetention()``; ``applyRetention(dryRun:acceptingClock:)``
/// - ``maintain(_:progress:)`` does what is due; ``backupSchedule()`` of it, ``setBackupSchedule(_:)``
/// - ``backUp(to:options:progress:)``; ``backups(in:)``, ``pruneBackups(in:options:)``
///
/// ## Trust, erase or audit: Trust/Memory+Trust.swift, Erasure/Memory+Erasure.swift, Audit/Memory+Audit.swift
/// - ``trust(_:as:by:because:)``, ``quarantine(_:by:because:)``, ``promote(_:to:by:because:)``; ``trustDecisions(on:)`` an episode
/// - ``forget(_:in:patterns:dryRun:progress:)`` for good; ``resumeErasures(progress:)`` that were cut short
/// - ``receipts()`` of it; ``verify(_:)`` one; ``erasureDigest(_:of:)`` an id, by which it names what was erased
/// - ``audit(after:in:limit:)``, ``auditHead()``; ``verifyAudit(against:rows:)``; ``auditIsRequired()``, ``setAuditRequired(_:)``
///
/// ## Encrypt: Encryption/Memory+Encryption.swift
/// - ``encrypt(domain:progress:)`` one; ``rotateKey(of:progress:)``, ``destroyKey(of:)``, ``rotateStoreKey(to:)``; ``domainKeys()``
///
/// ## Look after it: Tiers/Memory+Maintenance.swift, Analytics/Memory+Analytics.swift
/// - ``statistics()`` of primary, cache and index; ``cacheStatistics()`` of the cache alone
/// - ``analytics(since:until:by:in:timeZone:)`` of the episodes of a time: success, step times, failures, tools, patterns
/// - ``check(_:)`` every invariant; ``rebuild(acceptingTexts:progress:)`` derived data; ``optimize()``; ``close()``
///
/// ## A store in any state: target Episodic
/// - ``diagnose(at:options:)``, ``repair(at:options:)``; `restore(_:to:options:progress:)`; `salvage(from:to:audit:key:logger:progress:)`;
///   `consolidate(_:)` makes episodes of the finished runs of a ledger
public struct Memory: Sendable {
  let primary: any PrimaryStore
  package var primaryStore: any PrimaryStore { primary }
  let cache: any Cache
  let index: any SearchIndex
  package let clock: any WallClock
  package let limits: Limits
  let prefetchesEnded: Bool
  let observer: StoreObserver
  let reads: ReadThrough
  let follower: IndexFollower
  let files: any StoreFiles
  let inlineSearches = InlineSearches()
  var automaticMaintenance: AutomaticMaintenance?

  /// - Parameter prefetchesEnded: Whether completing or failing an episode fills the cache with it.
  /// - Parameter busyTimeout: Longest wait for a lock of the cache or the index that another process holds.
  /// - Parameter files: What may hold copies of what the primary has.
  package init(
    primary: any PrimaryStore, cache: any Cache, index: any SearchIndex = NoIndex(because: "none was given"),
    clock: any WallClock = SystemClock(), limits: Limits = Limits(), prefetchesEnded: Bool = false,
    busyTimeout: Duration = .seconds(30), files: any StoreFiles = NoFiles(), observer: StoreObserver = StoreObserver()
  ) {
    self.observer = observer
    (self.primary, self.cache, self.index) = (primary, cache, index)
    (self.clock, self.limits, self.prefetchesEnded) = (clock, limits, prefetchesEnded)
    self.files = files
    reads = ReadThrough(primary: primary, cache: cache)
    follower = IndexFollower(primary: primary, index: index, busyTimeout: busyTimeout)
  }
}
