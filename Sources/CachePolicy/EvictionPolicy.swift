import Synchronization

/// Decides which entries a cache keeps: hashes of keys in, verdicts out.
///
/// The cache has two areas: a small FIFO window that every new entry enters, and a main area swept by a CLOCK hand. An entry
/// leaves the window for the main area if it is asked for more often than what would leave the main area in its place. How
/// large the window is and what admission takes is chosen among seven `PolicyExpert`s by their hits in shadow caches, which
/// simulate each expert over a sample of the keys.
///
/// The state lies in a file that processes map and never synchronise, see `PolicyFile`: a hint. Whatever bytes are in it, the
/// cache answers correctly, with a worse hit rate. `prefetch` and `recordHit` are lock-free and open to every thread;
/// everything else belongs under the cache's write lock, which one process holds at a time.
package final class EvictionPolicy: Sendable {
  let file: PolicyFile
  let layout: PolicyLayout

  /// Whether other processes share the state and it outlives this one; false if the file could not be made.
  package var isShared: Bool { file.isShared }

  /// Maps the file at `path`; a file made for another number of entries is replaced. Two processes must not call this at
  /// the same time.
  ///
  /// - Parameter entries: How many entries the cache is expected to hold, 32...1,000,000; others are clamped.
  package init(path: String, entries: Int) {
    layout = PolicyLayout(entries: entries)
    file = PolicyFile(path: path, layout: layout)
  }

  /// Replaces the mapped file by private memory, so that the space of a removed file is freed.
  package func detach() { file.detach() }

  // MARK: Hits

  /// Loads the cache lines that `recordHit` will touch, while the entry itself is looked up.
  package func prefetch(for hash: UInt64) {
    _ = reference(of: hash).pointee.load(ordering: .relaxed)
    sketch.prefetch(for: hash)
  }

  /// Counts a hit: lock-free, a few nanoseconds.
  package func recordHit(_ hash: UInt64) {
    let reference = reference(of: hash)
    if reference.pointee.load(ordering: .relaxed) == 0 { reference.pointee.store(1, ordering: .relaxed) }
    sketch.add(hash)
    guard layout.isSampled(hash) else { return }
    let position = ringEnd.pointee.wrappingAdd(1, ordering: .relaxed).oldValue
    ring[Int(truncatingIfNeeded: position) & (PolicyLayout.ringCount - 1)].store(hash, ordering: .relaxed)
  }

  // MARK: Fills

  /// Counts a miss that is about to be filled, and replays the hits since the last miss in the shadow caches. Before room is
  /// made for the entry.
  ///
  /// - Complexity: 7 shadow caches by the sampled hits since the last miss, at most 2,048.
  package func recordMiss(_ hash: UInt64) {
    clearInterruptedShadow()
    reference(of: hash).pointee.store(0, ordering: .relaxed)
    sketch.add(hash)
    replayHits()
    countRequests(1)
    if layout.isSampled(hash) {
      replay(hash)
      followBestExpert()
    }
  }

  /// Whether a key that is being filled enters the main area at once, because it was evicted no more evictions ago than the
  /// cache has entries. Removes what it finds: one call a fill.
  package func skipsWindow(_ hash: UInt64) -> Bool {
    let now = UInt32(truncatingIfNeeded: state.pointee.evictions)
    let first = evictedSlot(of: hash)
    for slot in [first, first ^ 1] where evicted[slot].hash == UInt32(truncatingIfNeeded: hash >> 32) {
      let number = evicted[slot].number
      evicted[slot] = Evicted(hash: 0, number: 0)
      if number != 0, now &- number < UInt32(layout.entries) { return expert.remembersEvicted }
    }
    return false
  }

  // MARK: Making room

  /// The window's share of the capacity, 0...1.
  package var windowShare: Double { expert.windowShare }

  /// Whether the window's oldest entry moves into the main area, and the entry at the hand leaves the cache.
  package func admits(candidate: UInt64, over victim: UInt64) -> Bool {
    expert.admits(
      isReferenced: isReferenced(candidate), candidate: frequency(of: candidate), over: frequency(of: victim))
  }

  /// Whether a key was hit since the last call; clears the reference bit.
  package func takeReference(_ hash: UInt64) -> Bool {
    guard isReferenced(hash) else { return false }
    reference(of: hash).pointee.store(0, ordering: .relaxed)
    return true
  }

  /// Whether `isDispensable` has an answer: the followed shadow cache simulates every key, and is full. That of a large cache
  /// sees only a sample.
  package var namesDispensable: Bool { layout.sampleBits == 0 && shadow(expertIndex).isFull }

  /// Whether the followed shadow cache does not hold a key, so that its entry may leave before others.
  package func isDispensable(_ hash: UInt64) -> Bool { !shadow(expertIndex).holds(hash) }

  package func recordEviction(_ hash: UInt64) {
    state.pointee.evictions &+= 1
    let now = UInt32(truncatingIfNeeded: state.pointee.evictions)
    reference(of: hash).pointee.store(0, ordering: .relaxed)
    let slot = evictedSlot(of: hash)
    let older = now &- evicted[slot].number > now &- evicted[slot ^ 1].number ? slot : slot ^ 1
    evicted[older] = Evicted(hash: UInt32(truncatingIfNeeded: hash >> 32), number: now)
  }

  func frequency(of hash: UInt64) -> Int { sketch.frequency(of: hash) }

  func isReferenced(_ hash: UInt64) -> Bool { reference(of: hash).pointee.load(ordering: .relaxed) != 0 }

  // MARK: Shadow caches

  /// Clears the shadow cache that a process was changing when it died.
  private func clearInterruptedShadow() {
    guard state.pointee.changing != 0 else { return }
    let index = Int((state.pointee.changing - 1) % UInt64(PolicyExpert.all.count))
    shadow(index).clear()
    state.pointee.changing = 0
  }

  private func replayHits() {
    let end = ringEnd.pointee.load(ordering: .relaxed)
    let waiting = end &- state.pointee.replayed
    let isOverrun = waiting > UInt64(PolicyLayout.ringCount)
    let first = isOverrun ? end &- UInt64(PolicyLayout.ringCount) : state.pointee.replayed
    for offset in 0..<Int(truncatingIfNeeded: end &- first) {
      let position = Int(truncatingIfNeeded: first &+ UInt64(offset)) & (PolicyLayout.ringCount - 1)
      replay(ring[position].load(ordering: .relaxed))
    }
    state.pointee.replayed = end
    countRequests(min(waiting, UInt64(layout.entries)) << UInt64(layout.sampleBits))
  }

  private func countRequests(_ requests: UInt64) {
    state.pointee.requests &+= requests
    guard state.pointee.requests >= UInt64(layout.agingPeriod) else { return }
    sketch.age()
    state.pointee.requests = UInt64(layout.agingPeriod / 2)
  }

  /// Requests a key from each shadow cache. A score is its hits, which decay by half in four times as many requests as the
  /// shadow has entries.
  private func replay(_ hash: UInt64) {
    let kept = 1 - 0.693 / (4 * Double(layout.shadowCapacity))
    for index in 0..<PolicyExpert.all.count {
      state.pointee.changing = UInt64(index + 1)
      let hits = shadow(index).access(hash) ? 1.0 : 0
      let score = scores[index]
      scores[index] = (score >= 0 && score < 1e9 ? score * kept : 0) + hits
    }
    state.pointee.changing = 0
  }

  /// On equal scores the expert that is followed stays.
  private func followBestExpert() {
    var best = expertIndex
    for index in 0..<PolicyExpert.all.count where scores[index] > scores[best] { best = index }
    state.pointee.expert = UInt64(best)
  }
}

// MARK: The parts of the file, see `PolicyLayout`

extension EvictionPolicy {
  private struct Evicted {
    var hash: UInt32
    var number: UInt32
  }

  private var base: UnsafeMutableRawPointer { file.base }
  private var state: UnsafeMutablePointer<PolicyState> { (base + 16).assumingMemoryBound(to: PolicyState.self) }
  private var scores: UnsafeMutablePointer<Double> {
    (base + PolicyLayout.scores).assumingMemoryBound(to: Double.self)
  }
  /// Sampled hits so far, in a cache line of its own.
  private var ringEnd: UnsafeMutablePointer<Atomic<UInt64>> {
    (base + PolicyLayout.ringEnd).assumingMemoryBound(to: Atomic<UInt64>.self)
  }
  private var ring: UnsafeMutablePointer<Atomic<UInt64>> {
    (base + PolicyLayout.ring).assumingMemoryBound(to: Atomic<UInt64>.self)
  }
  private var sketch: FrequencySketch {
    FrequencySketch((base + layout.sketch).assumingMemoryBound(to: Atomic<UInt8>.self), count: layout.sketchCount)
  }
  private var evicted: UnsafeMutablePointer<Evicted> {
    (base + layout.evicted).assumingMemoryBound(to: Evicted.self)
  }

  private func evictedSlot(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (layout.evictedCount - 1) }

  private func reference(of hash: UInt64) -> UnsafeMutablePointer<Atomic<UInt8>> {
    let references = (base + PolicyLayout.references).assumingMemoryBound(to: Atomic<UInt8>.self)
    return references + (Int(truncatingIfNeeded: hash) & (layout.referenceCount - 1))
  }

  private var expertIndex: Int { Int(state.pointee.expert % UInt64(PolicyExpert.all.count)) }
  private var expert: PolicyExpert { PolicyExpert.all[expertIndex] }

  /// - Parameter index: Less than the number of experts.
  private func shadow(_ index: Int) -> ShadowCache {
    ShadowCache(
      base + PolicyLayout.shadows + index * ShadowCache.byteCount, capacity: layout.shadowCapacity,
      expert: PolicyExpert.all[index], sketch: sketch)
  }
}
