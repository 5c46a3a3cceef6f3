/// One transaction of the primary, lent on the writer's thread: what it writes is committed together or not at all.
///
/// Input is validated by the caller. The transaction has a scope: an episode outside of it, and what belongs to it, does not
/// exist for its verbs (I8). A verb that throws `.notFound` or `.conflict` before it has written leaves the transaction as it
/// was; after any other error nothing more is written, and the transaction is rolled back.
package protocol PrimaryTransaction {
  // MARK: Episodes

  /// Inserts all or none. The embeddings belong to the episodes. An episode that replaces another takes over its place, its
  /// links to patterns, and those of its vectors whose text is unchanged.
  ///
  /// - Throws: `.conflict` if an id is taken and the policy is `fail`, or by an episode of another domain.
  func insert(
    _ episodes: [Episode], embeddings: [Embedding], existing: Episode.ExistingPolicy
  ) throws(MemoryError) -> InsertionReport
  /// Inserts the episode that a run of a ledger has become, with the run's id as its own, unless the run became one before (I7).
  ///
  /// - Throws: `.conflict` if an episode that is no run's has the id.
  func consolidate(_ episode: Episode) throws(MemoryError) -> Consolidation.Outcome
  /// Inserts a new episode; if the request was answered before, writes nothing and returns that answer.
  ///
  /// - Throws: `.conflict` if the id is taken, or the key was used for another request; `.notFound` if the episode that the
  ///   request began was deleted since.
  func begin(_ episode: Episode, _ request: IdempotentRequest?) throws(MemoryError) -> Episode
  /// As `PrimaryStore.append`; if the request was answered before, writes nothing and returns that answer.
  func append(
    _ steps: [Step.Draft], to id: Episode.ID, at now: Timestamp, _ request: IdempotentRequest?
  ) throws(MemoryError) -> [Step]
  func apply(
    _ transition: Episode.Transition, to id: Episode.ID, at now: Timestamp
  ) throws(MemoryError) -> Versioned<Episode>
  func update(_ id: Episode.ID, with change: Episode.Change) throws(MemoryError) -> Episode
  /// Returns whether it existed.
  func delete(_ id: Episode.ID) throws(MemoryError) -> Bool
  /// Does what a policy of retention decided, if the episode is still what it was then.
  func apply(_ decision: RetentionDecision, at now: Timestamp) throws(MemoryError) -> RetentionOutcome
  /// Deletes a part of what deleted episodes left.
  func sweepDeleted() throws(MemoryError) -> DeletionSweep
  /// With what this transaction has written.
  func episode(_ id: Episode.ID) throws(MemoryError) -> Episode?

  /// Says how far something is trusted, and lowers what was derived from it.
  ///
  /// - Throws: `.notFound`; `.conflict` if it is to be raised and is trusted as much already.
  func decide(_ request: TrustRequest) throws(MemoryError) -> TrustReport

  // MARK: Patterns

  /// If the pattern exists, sets the success rate and the metadata that are given.
  ///
  /// - Parameter earlierHash: The hash under which an earlier version may have recorded the same data.
  /// - Parameter episode: Is linked to the pattern; `nil`: none.
  func record(_ pattern: Pattern, earlierHash: String?, from episode: Episode.ID?) throws(MemoryError) -> Pattern
  /// Returns whether this changed anything.
  func link(_ pattern: Pattern.ID, to episode: Episode.ID) throws(MemoryError) -> Bool
  func unlink(_ pattern: Pattern.ID, from episode: Episode.ID) throws(MemoryError) -> Bool
  /// Counts a use; `succeeded` enters the success rate as one more use.
  func markUsed(_ id: Pattern.ID, succeeded: Bool?, at now: Timestamp) throws(MemoryError) -> Pattern
  func delete(_ id: Pattern.ID) throws(MemoryError) -> Bool

  // MARK: Learning

  /// Keeps what a learning found in place of what an earlier one did, with links to these episodes alone, as far as they exist.
  ///
  /// - Returns: How many patterns are gone.
  func keepLearned(_ rows: [LearnedRow]) throws(MemoryError) -> Int
  /// Keeps that advice was given or held back; what was said of it before stays if it is not said again.
  ///
  /// - Throws: `.notFound` if an episode or a pattern does not exist.
  func record(_ advice: [AdviceRecord], at now: Timestamp) throws(MemoryError)

  // MARK: Embeddings

  /// With `replacing`, deletes those of the same episode, step and model first.
  func insert(_ embeddings: [Embedding], replacing: Bool) throws(MemoryError)
  func delete(_ id: Embedding.ID) throws(MemoryError) -> Bool
}
