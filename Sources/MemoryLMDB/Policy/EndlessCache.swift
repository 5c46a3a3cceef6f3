/// What a cache without a capacity would have, of a sample of the keys: 16,384 slots in shared memory.
///
/// Open addressing. When three quarters are taken, half of the keys leave the sample. Slots may hold any bytes.
struct EndlessCache {
  private static let slotCount = 16_384
  private static let maximumBits: UInt64 = 40
  static let byteCount = slotCount * MemoryLayout<Slot>.stride

  /// A hash of 0 is an empty slot.
  private struct Slot {
    var hash: UInt64 = 0
    var deadline: Int64 = 0
    var revision: Int64 = 0
  }

  private let slots: UnsafeMutablePointer<Slot>
  private let state: UnsafeMutablePointer<PolicyState>

  init(_ bytes: UnsafeMutableRawPointer, state: UnsafeMutablePointer<PolicyState>) {
    slots = bytes.assumingMemoryBound(to: Slot.self)
    self.state = state
  }

  /// How many requests a key stands for that an endless cache would have served now; 0 where it would not.
  func capacityMiss(
    _ hash: UInt64, now: Int64, deadline: Int64, revision: Int64, isCurrent: (Int64) -> Bool
  ) -> Int {
    guard isSampled(hash), hash != 0 else { return 0 }
    var slot = home(of: hash)
    for _ in 0..<Self.slotCount {
      if slots[slot].hash == hash {
        let found = slots[slot]
        slots[slot] = Slot(hash: hash, deadline: deadline, revision: revision)
        return found.deadline > now && isCurrent(found.revision) ? 1 << Int(bits) : 0
      }
      if slots[slot].hash == 0 {
        slots[slot] = Slot(hash: hash, deadline: deadline, revision: revision)
        state.pointee.endlessCount = min(state.pointee.endlessCount, UInt64(Self.slotCount)) + 1
        break
      }
      slot = (slot + 1) & (Self.slotCount - 1)
    }
    // A table without an empty slot can only be garbage; the count may lie.
    if state.pointee.endlessCount >= UInt64(Self.slotCount / 4 * 3) { halve() }
    return 0
  }

  private var bits: UInt64 { min(state.pointee.endlessBits, Self.maximumBits) }

  /// Forgets every key; the share that is sampled stays.
  func clear() {
    for slot in 0..<Self.slotCount { slots[slot] = Slot() }
    state.pointee.endlessCount = 0
  }

  /// By other bits than those that choose the home.
  private func isSampled(_ hash: UInt64) -> Bool { hash >> 16 & ((1 << bits) - 1) == 0 }

  private func home(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (Self.slotCount - 1) }

  private func halve() {
    state.pointee.endlessBits = min(bits + 1, Self.maximumBits)
    let kept = (0..<Self.slotCount).map { slots[$0] }.filter { $0.hash != 0 && isSampled($0.hash) }
    clear()
    // More than the table can bear are left only where the bytes were garbage.
    let bearable = kept.prefix(Self.slotCount / 2)
    for entry in bearable {
      var slot = home(of: entry.hash)
      while slots[slot].hash != 0 { slot = (slot + 1) & (Self.slotCount - 1) }
      slots[slot] = entry
    }
    state.pointee.endlessCount = UInt64(bearable.count)
  }
}

extension PolicyMap {
  /// How many requests the fill of a key stands for that a cache without a capacity would have served; 0 where the key
  /// was never there, has expired or was changed. Call it at each fill, under the write lock.
  ///
  /// - Parameter isCurrent: Whether nothing the value depends on has changed since a revision.
  func capacityMiss(
    _ hash: UInt64, now: Int64, deadline: Int64, revision: Int64, isCurrent: (Int64) -> Bool
  ) -> Int {
    endless.capacityMiss(hash, now: now, deadline: deadline, revision: revision, isCurrent: isCurrent)
  }

  /// A cache without a capacity would have lost everything now, as this one does. Under the write lock.
  func forgetEndless() { endless.clear() }

  private var endless: EndlessCache { EndlessCache(base + PolicyLayout.endless, state: state) }
}
