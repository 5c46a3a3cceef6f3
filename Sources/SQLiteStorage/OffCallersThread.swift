import Dispatch

/// Runs what may wait for a lock, a disk or another process on a thread that nobody else needs: neither the caller's executor
/// nor the cooperative pool stands still meanwhile.
func offCallersThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    blockingThreads.async { continuation.resume(with: Result { try body() }) }
  }
}

private let blockingThreads = DispatchQueue(label: "episodic.blocking", attributes: .concurrent)

/// Closes what nobody refers to any more. What is wrong with it nobody is left to be told.
func closeInBackground(_ connections: Connections) {
  blockingThreads.async { try? connections.close() }
}
