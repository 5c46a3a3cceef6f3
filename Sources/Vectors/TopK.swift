/// The best `capacity` of a stream of scored candidates.
///
/// A higher score is better; of equal scores the smaller id is. The outcome does not depend on the order of the stream.
/// An id offered twice is two candidates. NaN never enters.
public struct TopK<ID: Comparable> {
  /// An id with its score.
  public struct Candidate {
    public let id: ID
    public let score: Double

    @inlinable
    public init(id: ID, score: Double) {
      self.id = id
      self.score = score
    }

    @inlinable
    func isBetter(than other: Candidate) -> Bool {
      score > other.score || (score == other.score && id < other.id)
    }
  }

  /// How many candidates are kept at most.
  public let capacity: Int

  /// A binary heap: no child is worse than its parent, so the worst candidate kept is first.
  @usableFromInline
  var heap: [Candidate] = []

  /// - Parameter capacity: How many to keep; 0 or less keeps none. Memory grows with what is kept, not with this.
  @inlinable
  public init(_ capacity: Int) {
    self.capacity = max(0, capacity)
  }

  /// How many candidates are kept now.
  @inlinable
  public var count: Int { heap.count }

  /// The worst score kept once `capacity` is reached, before that nil: nothing below it can enter any more.
  @inlinable
  public var threshold: Double? { heap.count == capacity ? heap.first?.score : nil }

  /// Keeps a candidate if it is among the best so far.
  ///
  /// - Returns: Whether it was kept, perhaps in place of the worst.
  /// - Complexity: O(log *k*) if it is kept, else O(1).
  @inlinable
  @discardableResult
  public mutating func insert(_ id: ID, score: Double) -> Bool {
    guard !score.isNaN else { return false }
    let candidate = Candidate(id: id, score: score)
    if heap.count < capacity {
      heap.append(candidate)
      siftUp(from: heap.count - 1)
      return true
    }
    guard let worst = heap.first, candidate.isBetter(than: worst) else { return false }
    heap[0] = candidate
    siftDown()
    return true
  }

  /// The candidates kept, best first.
  ///
  /// - Complexity: O(*k* log *k*).
  @inlinable
  public func ranked() -> [Candidate] {
    heap.sorted { $0.isBetter(than: $1) }
  }

  @inlinable
  mutating func siftUp(from start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[parent].isBetter(than: heap[child]) else { return }
      heap.swapAt(parent, child)
      child = parent
    }
  }

  @inlinable
  mutating func siftDown() {
    var parent = 0
    while true {
      var worst = 2 * parent + 1
      guard worst < heap.count else { return }
      if worst + 1 < heap.count, heap[worst].isBetter(than: heap[worst + 1]) { worst += 1 }
      guard heap[parent].isBetter(than: heap[worst]) else { return }
      heap.swapAt(parent, worst)
      parent = worst
    }
  }
}

extension TopK: Sendable where ID: Sendable {}
extension TopK.Candidate: Sendable where ID: Sendable {}
extension TopK.Candidate: Equatable {}
