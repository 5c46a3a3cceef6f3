/// Where the parts of a `PolicyFile` lie. All of it follows from the number of entries; nothing is read from the file.
///
/// | offset | part | |
/// | --- | --- | --- |
/// | 0 | header | `format` UInt64, number of entries UInt64, then `PolicyState` |
/// | 256 | end of the ring | sampled hits so far, UInt64; atomic |
/// | 512 | scores | Double an expert |
/// | 576 | ring | hashes of the last 2,048 sampled hits, UInt64; atomic |
/// | 16,960 | shadows | a `ShadowCache` an expert |
/// | | references | a byte a key, by hash; atomic |
/// | | sketch | `FrequencySketch`; atomic |
/// | | evicted | the upper half of a hash UInt32 and the number of its eviction UInt32, by hash |
///
/// Integers are in the machine's byte order: the file never leaves the machine.
struct PolicyLayout: Equatable, Sendable {
  static let format: UInt64 = 0x0002_7970_6F6C_6963
  static let ringCount = 2048
  static let ringEnd = 256
  static let scores = 512
  static let ring = 576
  static let shadows = ring + ringCount * 8
  static let references = shadows + PolicyExpert.all.count * ShadowCache.byteCount

  let entries: Int
  /// The shadow caches see a key if this many of its hash's highest bits are 0.
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

/// Counters at offset 16, changed only under the write lock. Any bytes are valid.
struct PolicyState {
  /// The shadow cache that is being changed, from 1; if it is set before a change, the process that changed it died.
  var changing: UInt64
  /// Position in the ring up to which hits were replayed.
  var replayed: UInt64
  var requests: UInt64
  var expert: UInt64
  var evictions: UInt64
}
