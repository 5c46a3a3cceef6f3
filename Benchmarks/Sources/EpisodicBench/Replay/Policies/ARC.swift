/// Adaptive replacement cache (Megiddo and Modha, FAST 2003): keys seen once and keys seen again, each with a ghost list
/// whose hits move the border between them.
struct ARC: SimulatedCache {
  static let name = "ARC"

  private let capacity: Int
  /// T1 and its ghosts B1: seen once recently.
  private var once: KeyQueue
  private var onceGhosts: KeyQueue
  /// T2 and its ghosts B2: seen twice or more.
  private var often: KeyQueue
  private var oftenGhosts: KeyQueue
  /// p: the target size of `once`.
  private var target = 0

  init(capacity: Int, distinct: Int) {
    self.capacity = capacity
    once = KeyQueue(distinct: distinct)
    onceGhosts = once
    often = once
    oftenGhosts = once
  }

  mutating func request(_ key: Int) -> Bool {
    if once.contains(key) {
      once.remove(key)
      often.append(key)
      return true
    }
    if often.contains(key) {
      often.touch(key)
      return true
    }
    if onceGhosts.contains(key) {
      target = min(capacity, target + max(1, oftenGhosts.count / onceGhosts.count))
      evict(for: key)
      onceGhosts.remove(key)
      often.append(key)
    } else if oftenGhosts.contains(key) {
      target = max(0, target - max(1, onceGhosts.count / oftenGhosts.count))
      evict(for: key)
      oftenGhosts.remove(key)
      often.append(key)
    } else {
      makeRoom(for: key)
      once.append(key)
    }
    return false
  }

  /// Case IV of the paper: a key in no list.
  private mutating func makeRoom(for key: Int) {
    if once.count + onceGhosts.count == capacity {
      if once.count < capacity {
        onceGhosts.removeOldest()
        evict(for: key)
      } else {
        once.removeOldest()
      }
    } else {
      let known = once.count + onceGhosts.count + often.count + oftenGhosts.count
      guard known >= capacity else { return }
      if known == 2 * capacity { oftenGhosts.removeOldest() }
      evict(for: key)
    }
  }

  /// REPLACE of the paper.
  private mutating func evict(for key: Int) {
    guard once.count + often.count >= capacity else { return }
    let isOverTarget = once.count > target || (once.count == target && oftenGhosts.contains(key))
    if once.count > 0 && isOverTarget || often.count == 0 {
      if let victim = once.removeOldest() { onceGhosts.append(victim) }
    } else if let victim = often.removeOldest() {
      oftenGhosts.append(victim)
    }
  }
}
