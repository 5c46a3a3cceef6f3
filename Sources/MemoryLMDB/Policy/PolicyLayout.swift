import Synchronization

/// Where the parts of a `PolicyMap` lie. All of it follows from the number of entries; nothing is read from the file.
///
/// | part | |
/// | --- | --- |
/// | header | format and number of entries, then `PolicyState`; 512 bytes |
/// | scores | Double an expert; 64 bytes |
/// | ring | 2,048 hashes of keys that were hit, UInt64 |
/// | shadows | a `ShadowCache` an expert |
/// | endless | 16,384 slots of `EndlessCache` |
/// | references | a byte a key, by hash |
/// | sketch | `FrequencySketch` |
/// | evicted | 32 bits of a hash and the number of its eviction, by hash |
///
/// Integers are in the machine's order: the file never leaves it.
struct PolicyLayout: Equatable, Sendable {
  static let format: UInt64 = 0x0001_7970_6F6C_6963
  static let ringCount = 2048
  static let scores = 512
  static let ring = 576
  static let shadows = ring + ringCount * 8
  static let endless = shadows + PolicyExpert.all.count * ShadowCache.byteCount
  static let references = endless + EndlessCache.byteCount

  let entries: Int
  /// A key is watched by the shadows if this many of its hash's highest bits are 0.
  let sampleBits: Int
  let referenceCount: Int
  let sketch: Int
  let sketchCount: Int
  let evicted: Int
  let evictedCount: Int
  let byteCount: Int

  init(entries: Int) {
    self.entries = min(max(entries, 32), 1_000_000)
    var bits = 0
    while self.entries >> bits > ShadowCache.maximumCapacity { bits += 1 }
    sampleBits = bits
    var rounded = 512
    while rounded < self.entries { rounded *= 2 }
    referenceCount = 4 * rounded
    sketch = Self.references + referenceCount
    sketchCount = 16 * rounded
    evicted = sketch + sketchCount
    evictedCount = 2 * rounded
    byteCount = (evicted + evictedCount * 8 + 4095) / 4096 * 4096
  }

  var shadowCapacity: Int { entries >> sampleBits }
  /// Requests after which the sketch is halved.
  var agingPeriod: Int { 20 * entries }

  func isSampled(_ hash: UInt64) -> Bool { sampleBits == 0 || hash >> UInt64(64 - sampleBits) == 0 }
}

/// What `PolicyMap` keeps beside its tables, at offset 16; only under the write lock. Any bytes are one.
struct PolicyState {
  /// The shadow that is being changed, from 1; found so before a change, the process that made it died.
  var changing: UInt64
  var drained: UInt64
  var requests: UInt64
  var expert: UInt64
  var evictions: UInt64
  var endlessBits: UInt64
  var endlessCount: UInt64
}
