extension DomainMemory {
  /// As `Memory.changes(after:in:)`: the changes of this domain's episodes and patterns.
  public func changes(after cursor: MemoryChange.Cursor?) -> MemoryChanges { memory.changes(after: cursor, in: scope) }

  /// As `Memory.changeCursor()`.
  public func changeCursor() async throws(MemoryError) -> MemoryChange.Cursor { try await memory.changeCursor() }
}
