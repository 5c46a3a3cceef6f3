import Synchronization

/// The seals of values that were found intact since the process began, so that each is checked once.
///
/// A seal is bound to key, content and epoch: another content under the same key has another one and is checked anew.
/// Bounded: when full it forgets everything, which costs time and nothing else.
final class VerifiedValues: Sendable {
  private let seals: Mutex<Set<UInt64>>
  private let capacity: Int

  /// - Parameter capacity: Seals it remembers; about 20 bytes each.
  init(capacity: Int = 1 << 18) {
    self.capacity = max(1, capacity)
    seals = Mutex([])
  }

  func contains(_ seal: UInt64) -> Bool {
    seals.withLock { $0.contains(seal) }
  }

  func insert(_ seal: UInt64) {
    seals.withLock { seals in
      if seals.count >= capacity { seals.removeAll(keepingCapacity: true) }
      seals.insert(seal)
    }
  }

  func removeAll() {
    seals.withLock { $0.removeAll() }
  }
}
