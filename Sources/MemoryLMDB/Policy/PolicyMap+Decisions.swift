import Synchronization

// What making room asks, under the write lock.

extension PolicyMap {
  private var expert: PolicyExpert { PolicyExpert.all[expertIndex] }

  /// The share of the capacity that is the window's, 0...1.
  var windowShare: Double { expert.windowShare }

  func frequency(of hash: UInt64) -> Int { sketch.frequency(of: hash) }

  func isReferenced(_ hash: UInt64) -> Bool { reference(of: hash).pointee.load(ordering: .relaxed) != 0 }

  /// Whether a key was hit since this was last asked.
  func takeReference(_ hash: UInt64) -> Bool {
    guard isReferenced(hash) else { return false }
    reference(of: hash).pointee.store(0, ordering: .relaxed)
    return true
  }

  /// Whether the window's oldest goes on into the main area, and the entry at its hand out of the cache.
  func admits(candidate: UInt64, over victim: UInt64) -> Bool {
    expert.admits(
      isReferenced: isReferenced(candidate), candidate: frequency(of: candidate), over: frequency(of: victim))
  }

  /// Whether the shadow that is followed can tell what may leave before others. Only that of a small cache can, for those
  /// of a large one see a sample; and one that is still filling up, anew after a crash, knows of little.
  var knowsDispensable: Bool { layout.sampleBits == 0 && shadow(expertIndex).isFull }

  /// Whether the shadow that is followed does not hold a key. To be asked only of one that can tell.
  func isDispensable(_ hash: UInt64) -> Bool { !shadow(expertIndex).holds(hash) }

  func noteEviction(_ hash: UInt64) {
    state.pointee.evictions &+= 1
    let now = UInt32(truncatingIfNeeded: state.pointee.evictions)
    reference(of: hash).pointee.store(0, ordering: .relaxed)
    let slot = evictedSlot(of: hash)
    let older = now &- evicted[slot].number > now &- evicted[slot ^ 1].number ? slot : slot ^ 1
    evicted[older] = Evicted(hash: UInt32(truncatingIfNeeded: hash >> 32), number: now)
  }

  /// Whether a key that is being filled goes straight to the main area, because it was evicted a short time ago: within
  /// as many evictions as there are entries. Asked once a fill, for it forgets.
  func skipsWindow(_ hash: UInt64) -> Bool {
    let now = UInt32(truncatingIfNeeded: state.pointee.evictions)
    let first = evictedSlot(of: hash)
    for slot in [first, first ^ 1] where evicted[slot].hash == UInt32(truncatingIfNeeded: hash >> 32) {
      let number = evicted[slot].number
      evicted[slot] = Evicted(hash: 0, number: 0)
      if number != 0, now &- number < UInt32(layout.entries) { return expert.remembersEvicted }
    }
    return false
  }

  private struct Evicted {
    var hash: UInt32
    var number: UInt32
  }

  private var evicted: UnsafeMutablePointer<Evicted> {
    (base + layout.evicted).assumingMemoryBound(to: Evicted.self)
  }

  private func evictedSlot(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (layout.evictedCount - 1) }
}
