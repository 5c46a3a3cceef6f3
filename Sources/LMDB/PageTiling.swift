/// Notes which node begins where in a page, to see that they fill their part of it without overlap or gap.
///
/// O(*n*) for *n* nodes, where sorting them by offset would take longer than all other checks together.
final class PageTiling {
  /// Size of the node that begins at twice the index; 0 for none.
  private let sizes: UnsafeMutableBufferPointer<UInt16>

  init(pageSize: Int) {
    sizes = .allocate(capacity: pageSize / 2)
    sizes.initialize(repeating: 0)
  }

  deinit {
    sizes.deallocate()
  }

  func reset() { sizes.update(repeating: 0) }

  /// - Parameter size: Bytes the node fills, before they are rounded up to an even number.
  /// - Returns: False if another node begins there.
  @inline(__always)
  func place(size: Int, at offset: Int) -> Bool {
    let index = offset >> 1
    guard size > 0, let size = UInt16(exactly: (size &+ 1) & ~1), index >= 0, index < sizes.count,
      sizes[index] == 0
    else { return false }
    sizes[index] = size
    return true
  }

  /// Whether every byte from `start` to the end of the page is of exactly one node, and no node is elsewhere.
  func isFull(from start: Int, nodes: Int) -> Bool {
    var index = start >> 1
    var left = nodes
    while index < sizes.count {
      let size = Int(sizes[index]) >> 1
      guard size > 0 else { return false }
      index &+= size
      left &-= 1
    }
    return index == sizes.count && left == 0
  }
}
