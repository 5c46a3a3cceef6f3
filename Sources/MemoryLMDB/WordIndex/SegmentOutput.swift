/// Sealed values of a segment on their way to the database.
struct SegmentOutput {
  let id: UInt32
  let seal: WordSeal
  private(set) var entries: [(key: [UInt8], value: [UInt8])] = []
  /// Of the entries here.
  private(set) var byteCount = 0
  /// Of all that ever went through.
  private(set) var totalBytes: UInt64 = 0

  init(id: UInt32, seal: WordSeal) {
    self.id = id
    self.seal = seal
  }

  mutating func add(_ value: consuming [UInt8], for key: [UInt8]) {
    seal.seal(&value, key: key)
    byteCount += value.count + key.count
    totalBytes += UInt64(value.count)
    entries.append((key, value))
  }

  /// Takes out what has been collected.
  mutating func take() -> [(key: [UInt8], value: [UInt8])] {
    defer {
      entries = []
      byteCount = 0
    }
    return entries
  }
}
