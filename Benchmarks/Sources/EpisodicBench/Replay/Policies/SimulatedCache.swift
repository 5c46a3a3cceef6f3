/// A cache policy in its purest form: it decides which keys stay and keeps no values.
///
/// Keys are the numbers below `distinct`, so that what is known of them lies in arrays.
protocol SimulatedCache {
  static var name: String { get }

  init(capacity: Int, distinct: Int)

  /// Asks for a key, and takes it in where the policy wants it.
  ///
  /// - Returns: Whether it was a hit.
  mutating func request(_ key: Int) -> Bool
}

extension SimulatedCache {
  /// How many of the requests are hits in a cache that begins empty.
  static func hits(_ requests: [Int], distinct: Int, capacity: Int) -> Int {
    var cache = Self(capacity: capacity, distinct: distinct)
    return requests.count { cache.request($0) }
  }
}
