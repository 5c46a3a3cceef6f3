extension Memory {
  /// Writes with several verbs in one commit: all of it or, if the body throws, nothing.
  ///
  /// The body runs synchronously on the writer's thread, where other callers wait for it: prepare before what takes long. It
  /// may run twice, so it changes nothing but the batch. Within it a verb sees what those before it wrote. A verb that throws
  /// `.invalid`, `.notFound` or `.conflict` has usually written nothing, and the body may catch that and go on; after an error
  /// in the midst of writing the call throws it, whatever the body does.
  ///
  /// ```swift
  /// try await memory.write { batch in
  ///   let episode = try batch.begin(.init(.debugging, domain: "web", context: "The login test fails"))
  ///   try batch.append(.init("swift test", success: false), to: episode.id)
  ///   try batch.fail(episode.id)
  /// }
  /// ```
  ///
  /// - Returns: What the body returns, after the commit, which is shared with other callers.
  /// - Throws: The `MemoryError` that the body throws; `.abandoned` with another error of the body as its cause.
  @discardableResult
  public func write<Value: Sendable>(
    _ body: @escaping @Sendable (borrowing Batch) throws -> Value
  ) async throws(MemoryError) -> Value {
    try await write(in: .everything, batch: { (batch: consuming Batch) in try body(batch) })
  }

  func write<Value: Sendable>(
    in scope: Query.Scope, batch body: @escaping @Sendable (consuming Batch) throws -> Value
  ) async throws(MemoryError) -> Value {
    try await span("write", scope) { () async throws(MemoryError) in
      let (validation, clock) = (validation, clock)
      let (value, effects) = try await primary.write(in: scope) { transaction throws(MemoryError) in
        let effects = Batch.Effects()
        do {
          let batch = Batch(transaction, scope: scope, validation: validation, clock: clock, effects: effects)
          return (try body(batch), effects.value)
        } catch let error as MemoryError {
          throw error
        } catch {
          throw MemoryError(.abandoned, "the batch was abandoned, and nothing was written: \(error)", cause: error)
        }
      }
      if effects.isBulk { await follower.followAfterWrite() } else { follower.noteChanges(effects.changes) }
      if prefetchesEnded { for episode in effects.ended { await reads.prefetch(episode) } }
      return value
    }
  }
}
