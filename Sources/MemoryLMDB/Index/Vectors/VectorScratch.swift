import Synchronization

/// Memory that searches use again and again: to map and clear megabytes anew would cost as much as the scan.
final class VectorScratch {
  private(set) var masks = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)
  private(set) var distances = UnsafeMutableBufferPointer<UInt16>(start: nil, count: 0)
  private(set) var rows = UnsafeMutableBufferPointer<UInt32>(start: nil, count: 0)
  private(set) var values = UnsafeMutableBufferPointer<UInt32>(start: nil, count: 0)
  private(set) var shorts = UnsafeMutableBufferPointer<UInt16>(start: nil, count: 0)
  private(set) var places = UnsafeMutableBufferPointer<UnsafeRawPointer?>(start: nil, count: 0)

  /// Room for that many vectors; what was in it is gone. Room that is not written to takes no memory.
  func reserve(_ count: Int) {
    guard count > masks.count else { return }
    free()
    let room = count + count / 4
    masks = .allocate(capacity: room)
    distances = .allocate(capacity: room)
    rows = .allocate(capacity: room)
    values = .allocate(capacity: room)
    shorts = .allocate(capacity: room)
    places = .allocate(capacity: room)
  }

  private func free() {
    masks.deallocate()
    distances.deallocate()
    rows.deallocate()
    values.deallocate()
    shorts.deallocate()
    places.deallocate()
  }

  deinit { free() }

  /// Scratch memory that is not in use.
  // Unchecked because one is lent to one search at a time, under the lock.
  final class Pool: Sendable {
    private struct Free: @unchecked Sendable { var scratches: [VectorScratch] = [] }
    private let free = Mutex(Free())

    func withScratch<Result, Failure>(_ body: (VectorScratch) throws(Failure) -> Result) throws(Failure) -> Result {
      let taken = free.withLock { $0.scratches.popLast().map { Free(scratches: [$0]) } }
      let scratch = taken?.scratches.first ?? VectorScratch()
      defer {
        let back = Free(scratches: [scratch])
        free.withLock { $0.scratches += back.scratches }
      }
      return try body(scratch)
    }
  }
}
