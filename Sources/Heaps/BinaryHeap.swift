/// A binary heap in an array: no element is above one of its children in the order `isAbove`, which is the same in every
/// call, and so the first element is below none.
extension Array {
  @inlinable
  mutating func siftUp(from start: Int, _ isAbove: (Element, Element) -> Bool) {
    withUnsafeMutableBufferPointer { heap in
      var child = start
      while child > 0 {
        let parent = (child - 1) / 2
        guard isAbove(heap[child], heap[parent]) else { return }
        heap.swapAt(parent, child)
        child = parent
      }
    }
  }

  @inlinable
  mutating func siftDown(from start: Int, _ isAbove: (Element, Element) -> Bool) {
    withUnsafeMutableBufferPointer { heap in
      var parent = start
      while true {
        var child = 2 * parent + 1
        guard child < heap.count else { return }
        if child + 1 < heap.count, isAbove(heap[child + 1], heap[child]) { child += 1 }
        guard isAbove(heap[child], heap[parent]) else { return }
        heap.swapAt(parent, child)
        parent = child
      }
    }
  }
}
