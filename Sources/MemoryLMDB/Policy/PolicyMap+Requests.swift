import Synchronization

extension PolicyMap {
  /// Has what `recordHit` will need of a key fetched from memory while the entry is looked up.
  func prepare(for hash: UInt64) {
    _ = reference(of: hash).pointee.load(ordering: .relaxed)
    sketch.prepare(for: hash)
  }

  /// Notes that a key was served from the cache: lock-free, a few nanoseconds.
  func recordHit(_ hash: UInt64) {
    let reference = reference(of: hash)
    if reference.pointee.load(ordering: .relaxed) == 0 { reference.pointee.store(1, ordering: .relaxed) }
    sketch.add(hash)
    guard layout.isSampled(hash) else { return }
    let position = head.pointee.wrappingAdd(1, ordering: .relaxed).oldValue
    ring[Int(truncatingIfNeeded: position) & (PolicyLayout.ringCount - 1)].store(hash, ordering: .relaxed)
  }

  /// Notes that a key is about to be filled, and lets the shadows catch up. Before room is made for it.
  ///
  /// - Complexity: 7 shadows by what was hit since the last miss, at most 2,048 of the sampled keys.
  func recordMiss(_ hash: UInt64) {
    repair()
    reference(of: hash).pointee.store(0, ordering: .relaxed)
    sketch.add(hash)
    drain()
    count(1)
    if layout.isSampled(hash) {
      access(hash)
      choose()
    }
  }

  /// Clears the shadow that a process was changing when it died.
  private func repair() {
    guard state.pointee.changing != 0 else { return }
    let index = Int((state.pointee.changing - 1) % UInt64(PolicyExpert.all.count))
    shadow(index).clear()
    state.pointee.changing = 0
  }

  private func drain() {
    let end = head.pointee.load(ordering: .relaxed)
    let waiting = end &- state.pointee.drained
    let lost = waiting > UInt64(PolicyLayout.ringCount)
    let first = lost ? end &- UInt64(PolicyLayout.ringCount) : state.pointee.drained
    for offset in 0..<Int(truncatingIfNeeded: end &- first) {
      let position = Int(truncatingIfNeeded: first &+ UInt64(offset)) & (PolicyLayout.ringCount - 1)
      access(ring[position].load(ordering: .relaxed))
    }
    state.pointee.drained = end
    count(min(waiting, UInt64(layout.entries)) << UInt64(layout.sampleBits))
  }

  private func count(_ requests: UInt64) {
    state.pointee.requests &+= requests
    guard state.pointee.requests >= UInt64(layout.agingPeriod) else { return }
    sketch.age()
    state.pointee.requests = UInt64(layout.agingPeriod / 2)
  }

  /// A shadow's score is its hits, of which half are forgotten in four times as many requests as it has entries.
  private func access(_ hash: UInt64) {
    let kept = 1 - 0.693 / (4 * Double(layout.shadowCapacity))
    for index in 0..<PolicyExpert.all.count {
      state.pointee.changing = UInt64(index + 1)
      let hits = shadow(index).access(hash) ? 1.0 : 0
      let score = scores[index]
      scores[index] = (score >= 0 && score < 1e9 ? score * kept : 0) + hits
    }
    state.pointee.changing = 0
  }

  /// The best so far; the one that is followed stays where another is no better.
  private func choose() {
    var best = expertIndex
    for index in 0..<PolicyExpert.all.count where scores[index] > scores[best] { best = index }
    state.pointee.expert = UInt64(best)
  }
}

// MARK: The parts

extension PolicyMap {
  var state: UnsafeMutablePointer<PolicyState> { (base + 16).assumingMemoryBound(to: PolicyState.self) }
  var sketch: FrequencySketch {
    FrequencySketch((base + layout.sketch).assumingMemoryBound(to: Atomic<UInt8>.self), count: layout.sketchCount)
  }
  var scores: UnsafeMutablePointer<Double> { (base + PolicyLayout.scores).assumingMemoryBound(to: Double.self) }
  /// Hits of sampled keys; in a cache line of its own.
  private var head: UnsafeMutablePointer<Atomic<UInt64>> {
    (base + 256).assumingMemoryBound(to: Atomic<UInt64>.self)
  }
  private var ring: UnsafeMutablePointer<Atomic<UInt64>> {
    (base + PolicyLayout.ring).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  func reference(of hash: UInt64) -> UnsafeMutablePointer<Atomic<UInt8>> {
    let references = (base + PolicyLayout.references).assumingMemoryBound(to: Atomic<UInt8>.self)
    return references + (Int(truncatingIfNeeded: hash) & (layout.referenceCount - 1))
  }

  /// - Parameter index: Less than the number of experts.
  func shadow(_ index: Int) -> ShadowCache {
    ShadowCache(
      base + PolicyLayout.shadows + index * ShadowCache.byteCount, capacity: layout.shadowCapacity,
      expert: PolicyExpert.all[index], sketch: sketch)
  }

  var expertIndex: Int { Int(state.pointee.expert % UInt64(PolicyExpert.all.count)) }
}
