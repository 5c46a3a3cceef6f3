import Synchronization

/// Reads of the primary that are under way in this process, so that one key is read once however many ask for it.
///
/// A read may join one that is under way only if both found the primary at the same stamp: then whatever was committed
/// before this read began was there before that one looked (I3).
final class SingleFlight<Value: Sendable>: Sendable {
  private struct Flight {
    let stamp: CommitStamp
    var waiting: [Int: CheckedContinuation<Value?, Never>] = [:]
  }

  private let underWay = Mutex<[CacheKey: Flight]>([:])
  /// Numbers those who join.
  private let joined = Atomic(0)

  private enum Role { case leader, follower, loner }

  /// The value, by a read of this caller or of one that came before it.
  ///
  /// A read that fails, or whose caller gives up, fails for its own caller only: the others read for themselves.
  ///
  /// - Parameter stamp: Taken before the call.
  /// - Throws: What `load` throws; `.cancelled` where the task is cancelled while it waits for another's read.
  func join(
    _ key: CacheKey, at stamp: CommitStamp, load: () async throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    switch role(key, at: stamp) {
    case .loner: return try await load()
    case .follower:
      if let value = await follow(key, at: stamp) { return value }
      try MemoryError.throwIfCancelled()
      return try await load()
    case .leader: break
    }
    do throws(MemoryError) {
      let value = try await load()
      land(key, with: value)
      return value
    } catch {
      land(key, with: nil)
      throw error
    }
  }

  private func role(_ key: CacheKey, at stamp: CommitStamp) -> Role {
    underWay.withLock { underWay in
      guard let flight = underWay[key] else {
        underWay[key] = Flight(stamp: stamp)
        return .leader
      }
      return flight.stamp == stamp ? .follower : .loner
    }
  }

  /// `nil` where the flight has landed meanwhile, or failed, or the task was cancelled.
  private func follow(_ key: CacheKey, at stamp: CommitStamp) async -> Value? {
    let number = joined.wrappingAdd(1, ordering: .relaxed).newValue
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let hasJoined = underWay.withLock { underWay in
          guard !Task.isCancelled, underWay[key]?.stamp == stamp else { return false }
          underWay[key]?.waiting[number] = continuation
          return true
        }
        if !hasJoined { continuation.resume(returning: nil) }
      }
    } onCancel: {
      underWay.withLock { $0[key]?.waiting.removeValue(forKey: number) }?.resume(returning: nil)
    }
  }

  private func land(_ key: CacheKey, with value: Value?) {
    let waiting = underWay.withLock { $0.removeValue(forKey: key)?.waiting ?? [:] }
    for continuation in waiting.values { continuation.resume(returning: value) }
  }
}
