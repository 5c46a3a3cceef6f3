/// Buffers of a query's cursors, in one piece.
final class CursorMemory {
  private let words: UnsafeMutablePointer<UInt32>

  init(_ cursors: Int) {
    words = .allocate(capacity: max(1, cursors) * PostingCursor.bufferCount)
  }

  deinit {
    words.deallocate()
  }

  func buffer(_ cursor: Int) -> UnsafeMutablePointer<UInt32> { words + cursor * PostingCursor.bufferCount }
}
