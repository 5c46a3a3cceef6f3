public import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The checksums of sealed values that were verified since the process began, so that each is verified once.
///
/// A checksum is bound to key, content and generation, so changed content is verified again. The table has a fixed size: a
/// collision replaces the earlier checksum, which costs one more verification. Lookups take no lock: a query makes one for
/// every value it reads.
@usableFromInline package final class VerifiedValues: Sendable {
  // Sendable: every access is atomic, and the memory is freed with the last reference.
  @usableFromInline nonisolated(unsafe) let checksums: UnsafeMutablePointer<Atomic<UInt64>>?
  /// Count of places, a power of two, less one.
  @usableFromInline let mask: UInt64

  /// - Parameter capacity: Places, rounded up to a power of two, of 8 bytes each.
  package init(capacity: Int = 1 << 18) {
    let places = 1 << (Int.bitWidth - max(0, capacity - 1).leadingZeroBitCount)
    mask = UInt64(places - 1)
    var memory: UnsafeMutableRawPointer?
    let byteCount = places * MemoryLayout<Atomic<UInt64>>.stride
    // Written here, 0.2 ms for the usual capacity: a page that the kernel has to provide when a query first asks for it, and again
    // when that writes to it, costs more than the rest of most queries of a process that has just begun.
    guard posix_memalign(&memory, 4096, byteCount) == 0, let memory else {
      checksums = nil
      return
    }
    memset(memory, 0, byteCount)
    checksums = memory.bindMemory(to: Atomic<UInt64>.self, capacity: places)
  }

  deinit {
    free(checksums)
  }

  @inlinable
  @inline(__always)
  package func contains(_ checksum: UInt64) -> Bool {
    guard checksum != 0, let checksums else { return false }
    return checksums[Int(truncatingIfNeeded: checksum & mask)].load(ordering: .relaxed) == checksum
  }

  @inlinable
  package func insert(_ checksum: UInt64) {
    checksums?[Int(truncatingIfNeeded: checksum & mask)].store(checksum, ordering: .relaxed)
  }
}
