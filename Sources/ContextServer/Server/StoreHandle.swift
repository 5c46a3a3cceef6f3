import EpisodicMemory

/// The store, opened by the first call that needs it, so that the server answers a client at once.
actor StoreHandle {
  private let open: @Sendable () async throws(MemoryError) -> Memory
  private var opening: Task<Result<Memory, MemoryError>, Never>?

  init(_ open: @escaping @Sendable () async throws(MemoryError) -> Memory) { self.open = open }

  /// Opens it once for all calls that wait; after a failure the next call tries again.
  func memory() async throws(MemoryError) -> Memory {
    let task = opening ?? start()
    let result = await task.value
    if case .failure = result, opening == task { opening = nil }
    return try result.get()
  }

  private func start() -> Task<Result<Memory, MemoryError>, Never> {
    let open = open
    let task = Task { () async -> Result<Memory, MemoryError> in
      do throws(MemoryError) {
        return .success(try await open())
      } catch {
        return .failure(error)
      }
    }
    opening = task
    return task
  }

  /// Opens the store again at the next call: files that were replaced or restored are not seen through an old handle.
  func reopenNext() { opening = nil }

  func close() async throws(MemoryError) {
    guard let opening else { return }
    self.opening = nil
    if case .success(let memory) = await opening.value { try await memory.close() }
  }
}
