package import FileLocks
package import EpisodicMemory
import Synchronization

/// Forwards to another primary, and fails or waits where a test injects it.
package final class FaultyPrimary: PrimaryStore {
  package enum Moment: Sendable { case before, after }
  /// Called before and after every operation with its name; an error it throws is thrown by the operation.
  package typealias Fault = @Sendable (_ operation: String, Moment) async throws(MemoryError) -> Void

  private let primary: any PrimaryStore
  private let fault: Mutex<Fault?>

  package init(_ primary: any PrimaryStore, fault: Fault? = nil) {
    self.primary = primary
    self.fault = Mutex(fault)
  }

  package func set(_ fault: Fault?) { self.fault.withLock { $0 = fault } }

  private func through<Value: Sendable>(
    _ operation: String = #function, _ body: () async throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    let fault = fault.withLock { $0 }
    try await fault?(operation, .before)
    let value = try await body()
    try await fault?(operation, .after)
    return value
  }

  package var identity: StoreIdentity { primary.identity }
  package func commitStamp() throws(MemoryError) -> CommitStamp { try primary.commitStamp() }

  package func changes(after watermark: Watermark?, limit: Int) async throws(MemoryError) -> ChangeBatch {
    try await through { () async throws(MemoryError) in try await primary.changes(after: watermark, limit: limit) }
  }
  package func insert(_ episode: Episode) async throws(MemoryError) {
    try await through { () async throws(MemoryError) in try await primary.insert(episode) }
  }
  package func insert(
    _ episodes: [Episode], embeddings: [Embedding], existing: Episode.ExistingPolicy
  ) async throws(MemoryError) -> InsertionReport {
    try await through { () async throws(MemoryError) in
      try await primary.insert(episodes, embeddings: embeddings, existing: existing)
    }
  }
  package func episodesAsRecorded(after cursor: Episode.Page.Cursor?, limit: Int) async throws(MemoryError)
    -> Episode.Page
  {
    try await through { () async throws(MemoryError) in
      try await primary.episodesAsRecorded(after: cursor, limit: limit)
    }
  }
  package func append(_ steps: [Step.Draft], to id: Episode.ID, at now: Timestamp) async throws(MemoryError) -> [Step] {
    try await through { () async throws(MemoryError) in try await primary.append(steps, to: id, at: now) }
  }
  package func apply(
    _ transition: Episode.Transition, to id: Episode.ID, at now: Timestamp
  ) async throws(MemoryError) -> Versioned<Episode> {
    try await through { () async throws(MemoryError) in try await primary.apply(transition, to: id, at: now) }
  }
  package func update(_ id: Episode.ID, with change: Episode.Change) async throws(MemoryError) -> Episode {
    try await through { () async throws(MemoryError) in try await primary.update(id, with: change) }
  }
  package func delete(_ id: Episode.ID) async throws(MemoryError) -> Bool {
    try await through { () async throws(MemoryError) in try await primary.delete(id) }
  }
  package func episode(_ id: Episode.ID) async throws(MemoryError) -> Versioned<Episode?> {
    try await through { () async throws(MemoryError) in try await primary.episode(id) }
  }
  package func episodes(
    _ filter: Episode.Filter, in scope: Query.Scope, after cursor: Episode.Page.Cursor?, limit: Int
  ) async throws(MemoryError) -> Episode.Page {
    try await through { () async throws(MemoryError) in
      try await primary.episodes(filter, in: scope, after: cursor, limit: limit)
    }
  }
  package func record(_ pattern: Pattern) async throws(MemoryError) -> Pattern {
    try await through { () async throws(MemoryError) in try await primary.record(pattern) }
  }
  package func link(_ pattern: Pattern.ID, to episode: Episode.ID) async throws(MemoryError) -> Bool {
    try await through { () async throws(MemoryError) in try await primary.link(pattern, to: episode) }
  }
  package func unlink(_ pattern: Pattern.ID, from episode: Episode.ID) async throws(MemoryError) -> Bool {
    try await through { () async throws(MemoryError) in try await primary.unlink(pattern, from: episode) }
  }
  package func markUsed(_ id: Pattern.ID, succeeded: Bool?, at now: Timestamp) async throws(MemoryError) -> Pattern {
    try await through { () async throws(MemoryError) in try await primary.markUsed(id, succeeded: succeeded, at: now) }
  }
  package func delete(_ id: Pattern.ID) async throws(MemoryError) -> Bool {
    try await through { () async throws(MemoryError) in try await primary.delete(id) }
  }
  package func pattern(_ type: PatternType, hash: String) async throws(MemoryError) -> Versioned<Pattern?> {
    try await through { () async throws(MemoryError) in try await primary.pattern(type, hash: hash) }
  }
  package func patterns(_ filter: Pattern.Filter, in scope: Query.Scope) async throws(MemoryError) -> [Pattern] {
    try await through { () async throws(MemoryError) in try await primary.patterns(filter, in: scope) }
  }
  package func patterns(of episode: Episode.ID) async throws(MemoryError) -> [Pattern] {
    try await through { () async throws(MemoryError) in try await primary.patterns(of: episode) }
  }
  package func insert(_ embeddings: [Embedding], replacing: Bool) async throws(MemoryError) {
    try await through { () async throws(MemoryError) in try await primary.insert(embeddings, replacing: replacing) }
  }
  package func delete(_ id: Embedding.ID) async throws(MemoryError) -> Bool {
    try await through { () async throws(MemoryError) in try await primary.delete(id) }
  }
  package func embeddings(of episode: Episode.ID) async throws(MemoryError) -> [Embedding] {
    try await through { () async throws(MemoryError) in try await primary.embeddings(of: episode) }
  }
  package func embeddings(
    in space: EmbeddingSpace, scope: Query.Scope, after id: Embedding.ID?, limit: Int
  ) async throws(MemoryError) -> [Embedding] {
    try await through { () async throws(MemoryError) in
      try await primary.embeddings(in: space, scope: scope, after: id, limit: limit)
    }
  }
  package func read<Value: Sendable>(
    _ body: @escaping @Sendable (any PrimarySnapshot) throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    try await through { () async throws(MemoryError) in try await primary.read(body) }
  }
  /// Always `nil`, so that every search passes through `read` and its faults.
  package func readWithoutWaiting<Value>(
    _ body: (any PrimarySnapshot) throws(MemoryError) -> Value
  ) throws(MemoryError) -> Value? { nil }
  package func statistics() async throws(MemoryError) -> PrimaryStatistics {
    try await through { () async throws(MemoryError) in try await primary.statistics() }
  }
  package func check() async throws(MemoryError) -> [MemoryCheck] {
    try await through { () async throws(MemoryError) in try await primary.check() }
  }
  package func rebuildTextIndexes(acceptingTexts: Bool) async throws(MemoryError) {
    try await through { () async throws(MemoryError) in
      try await primary.rebuildTextIndexes(acceptingTexts: acceptingTexts)
    }
  }
  package func optimizeTextIndexes() async throws(MemoryError) {
    try await through { () async throws(MemoryError) in try await primary.optimizeTextIndexes() }
  }
  package func close() async throws(MemoryError) {
    try await through { () async throws(MemoryError) in try await primary.close() }
  }
}
