import FileLocks
import Synchronization

/// Reads of the primary in progress in this process: concurrent misses of one key read it once.
///
/// A read may join another only if both took the same stamp: then whatever was committed before this read began was there
/// before that one read (I3).
final class SingleFlight<Value: Sendable>: Sendable {
  private struct Flight {
    let stamp: CommitStamp
    var waiting: [Int: CheckedContinuation<Value?, Never>] = [:]
  }

  private let inProgress = Mutex<[CacheKey: Flight]>([:])
  /// Numbers the callers that wait.
  private let joined = Atomic(0)

  private enum Role { case leader, follower, alone }

  /// The value, by `load` or by that of a concurrent caller.
  ///
  /// A load that fails or is cancelled fails for its own caller only: the others load for themselves.
  ///
  /// - Parameter stamp: Taken before the call.
  /// - Throws: What `load` throws; `.cancelled` if the task is cancelled while it waits.
  func join(
    _ key: CacheKey, at stamp: CommitStamp, load: () async throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    let role = inProgress.withLock { inProgress -> Role in
      guard let flight = inProgress[key] else {
        inProgress[key] = Flight(stamp: stamp)
        return .leader
      }
      return flight.stamp == stamp ? .follower : .alone
    }
    switch role {
    case .alone: return try await load()
    case .follower:
      if let value = await wait(for: key, at: stamp) { return value }
      try MemoryError.throwIfCancelled()
      return try await load()
    case .leader:
      do throws(MemoryError) {
        let value = try await load()
        finish(key, with: value)
        return value
      } catch {
        finish(key, with: nil)
        throw error
      }
    }
  }

  /// `nil` if the load has ended meanwhile, or failed, or the task was cancelled.
  private func wait(for key: CacheKey, at stamp: CommitStamp) async -> Value? {
    let number = joined.wrappingAdd(1, ordering: .relaxed).newValue
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let hasJoined = inProgress.withLock { inProgress in
          guard !Task.isCancelled, inProgress[key]?.stamp == stamp else { return false }
          inProgress[key]?.waiting[number] = continuation
          return true
        }
        if !hasJoined { continuation.resume(returning: nil) }
      }
    } onCancel: {
      inProgress.withLock { $0[key]?.waiting.removeValue(forKey: number) }?.resume(returning: nil)
    }
  }

  private func finish(_ key: CacheKey, with value: Value?) {
    let waiting = inProgress.withLock { $0.removeValue(forKey: key)?.waiting ?? [:] }
    for continuation in waiting.values { continuation.resume(returning: value) }
  }
}
