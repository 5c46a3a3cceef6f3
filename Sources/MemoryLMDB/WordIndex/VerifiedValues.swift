import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The seals of values that were found intact since the process began, so that each is checked once.
///
/// A seal is bound to key, content and epoch: another content under the same key has another one and is checked anew.
/// Bounded: of two seals with one place the later one stays, which costs time and nothing else. Takes no lock, because a
/// query asks once for every value it meets.
final class VerifiedValues: Sendable {
  // Sendable because every access to what it points to is atomic, and the memory goes with the last reference.
  nonisolated(unsafe) private let seals: UnsafeMutablePointer<Atomic<UInt64>>?
  /// Places less one.
  private let mask: UInt64

  /// - Parameter capacity: Places, rounded up to a power of two; 8 bytes each, taken as they are filled.
  init(capacity: Int = 1 << 18) {
    let places = 1 << (Int.bitWidth - max(0, capacity - 1).leadingZeroBitCount)
    mask = UInt64(places - 1)
    seals = calloc(places, MemoryLayout<Atomic<UInt64>>.stride)?.bindMemory(to: Atomic<UInt64>.self, capacity: places)
  }

  deinit {
    free(seals)
  }

  @inline(__always)
  func contains(_ seal: UInt64) -> Bool {
    guard seal != 0, let seals else { return false }
    return seals[Int(truncatingIfNeeded: seal & mask)].load(ordering: .relaxed) == seal
  }

  func insert(_ seal: UInt64) {
    seals?[Int(truncatingIfNeeded: seal & mask)].store(seal, ordering: .relaxed)
  }
}
