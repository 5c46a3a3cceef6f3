/// Keys in order, oldest first, each at most once; a linked list in two arrays, so every operation takes constant time.
struct KeyQueue {
  private static let absent = -1

  /// The neighbours of each key; the place after the last key is the ring's anchor.
  private var newer: [Int]
  private var older: [Int]
  private let anchor: Int
  private(set) var count = 0

  init(distinct: Int) {
    anchor = distinct
    newer = Array(repeating: Self.absent, count: distinct + 1)
    older = newer
    newer[anchor] = anchor
    older[anchor] = anchor
  }

  var oldest: Int? { count > 0 ? newer[anchor] : nil }

  func contains(_ key: Int) -> Bool { newer[key] != Self.absent }

  /// The next younger key; `nil` for the youngest.
  func successor(of key: Int) -> Int? { newer[key] == anchor ? nil : newer[key] }

  /// Adds a key that is not in it, as the youngest.
  mutating func append(_ key: Int) {
    let last = older[anchor]
    newer[last] = key
    older[key] = last
    newer[key] = anchor
    older[anchor] = key
    count += 1
  }

  /// Removes a key that is in it.
  mutating func remove(_ key: Int) {
    newer[older[key]] = newer[key]
    older[newer[key]] = older[key]
    newer[key] = Self.absent
    older[key] = Self.absent
    count -= 1
  }

  @discardableResult
  mutating func removeOldest() -> Int? {
    guard let key = oldest else { return nil }
    remove(key)
    return key
  }

  /// Makes a key that is in it the youngest.
  mutating func touch(_ key: Int) {
    remove(key)
    append(key)
  }
}
