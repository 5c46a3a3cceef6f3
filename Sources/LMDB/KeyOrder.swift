#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Compares the keys of a tree as a walk meets them.
final class KeyOrder {
  static let maxKeySize = 511

  private let integers: Bool
  /// The last key, once its page may be overwritten.
  private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: maxKeySize, alignment: 8)
  private var last = UnsafeRawBufferPointer(start: nil, count: 0)
  /// Nothing comes before the first key; what comes behind a separator may equal it.
  private var mayEqual = true

  init(integers: Bool) { self.integers = integers }

  deinit {
    memory.deallocate()
  }

  /// - Parameter key: In memory that stays until `keep()`.
  /// - Returns: False if its size is wrong or it is not greater than the last.
  @inline(__always)
  func advance(to key: UnsafeRawBufferPointer) -> Bool {
    guard isSized(key) else { return false }
    let isGreater = isOrdered(last, key, orEqual: mayEqual)
    last = key
    mayEqual = false
    return isGreater
  }

  func advance(toSeparator key: UnsafeRawBufferPointer) -> Bool {
    guard advance(to: key) else { return false }
    keep()
    mayEqual = true
    return true
  }

  /// Copies the last key, because its page goes.
  func keep() {
    guard last.count <= memory.count else { return }
    memory.copyMemory(from: last)
    last = UnsafeRawBufferPointer(rebasing: memory[..<last.count])
  }

  private func isSized(_ key: UnsafeRawBufferPointer) -> Bool {
    integers ? key.count == MemoryLayout<UInt64>.size : key.count >= 1 && key.count <= Self.maxKeySize
  }

  @inline(__always)
  private func isOrdered(
    _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, orEqual: Bool
  ) -> Bool {
    guard let one = first.baseAddress, let other = second.baseAddress else { return true }
    if integers, let one = first.load(UInt64.self, insideAt: 0), let other = second.load(UInt64.self, insideAt: 0) {
      return one < other || orEqual && one == other
    }
    let difference = memcmp(one, other, min(first.count, second.count))
    if difference != 0 { return difference < 0 }
    return first.count < second.count || orEqual && first.count == second.count
  }
}
