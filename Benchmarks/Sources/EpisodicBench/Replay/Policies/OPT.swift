/// The best that a cache which takes in every key can do: it evicts what is asked for last (Belady, 1966).
enum OPT {
  static let name = "OPT"

  static func hits(_ requests: [Int], distinct: Int, capacity: Int) -> Int {
    let next = nextRequests(requests, distinct: distinct)
    /// When each key that is held is asked for next; `nil` for a key that is not held.
    var held: [Int?] = Array(repeating: nil, count: distinct)
    var farthestFirst = MaximumHeap()
    var count = 0
    var hits = 0
    for (index, key) in requests.enumerated() {
      if held[key] != nil {
        hits += 1
      } else if count < capacity {
        count += 1
      } else {
        // An element whose key was asked for since then, or has left, says nothing any more.
        while let (time, victim) = farthestFirst.popMaximum() {
          guard held[victim] == time else { continue }
          held[victim] = nil
          break
        }
      }
      held[key] = next[index]
      farthestFirst.insert(next[index], key)
    }
    return hits
  }

  /// For each request, when its key is asked for again; past the end where it never is.
  private static func nextRequests(_ requests: [Int], distinct: Int) -> [Int] {
    var next = requests
    var coming = Array(repeating: requests.count, count: distinct)
    for (index, key) in requests.enumerated().reversed() {
      next[index] = coming[key]
      coming[key] = index
    }
    return next
  }
}
