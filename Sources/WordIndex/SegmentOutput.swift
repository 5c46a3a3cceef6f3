import ByteCoding

/// Sealed values of a segment that is being written, until a transaction puts them.
struct SegmentOutput {
  typealias Entry = (key: [UInt8], value: [UInt8])

  let id: UInt32
  private let generation: UInt64
  private var entries: [Entry] = []
  /// Of the entries here, keys included.
  private(set) var byteCount = 0
  /// Of all values added.
  private(set) var totalBytes: UInt64 = 0

  init(id: UInt32, generation: UInt64) {
    self.id = id
    self.generation = generation
  }

  mutating func add(_ content: consuming [UInt8], for key: [UInt8]) {
    let value = Seal(key: key.span.bytes, generation: generation).sealed(content)
    byteCount += value.count + key.count
    totalBytes += UInt64(value.count)
    entries.append((key, value))
  }

  /// Removes and returns the entries.
  mutating func take() -> [Entry] {
    defer {
      entries = []
      byteCount = 0
    }
    return entries
  }
}

/// The documents of one field of a segment that is being written, by ordinal. A chunk has the groups, members and lengths
/// of 4,096 documents, one column after the other.
struct DocumentColumns {
  private(set) var groups: [UInt64] = []
  private var members: [UInt64] = []
  /// Tokens.
  private(set) var lengths: [UInt32] = []

  static let chunkShift: UInt32 = 12
  static let chunkCount = 1 << Int(chunkShift)
  /// Bytes of a document in its chunk.
  static let width = 20

  var count: Int { groups.count }

  mutating func reserveCapacity(_ count: Int) {
    groups.reserveCapacity(count)
    members.reserveCapacity(count)
    lengths.reserveCapacity(count)
  }

  mutating func append(group: UInt64, member: UInt64, length: UInt32) {
    groups.append(group)
    members.append(member)
    lengths.append(length)
  }

  func write(_ field: WordField, chunk: Int, to output: inout SegmentOutput) {
    let range = (chunk * Self.chunkCount)..<min(count, (chunk + 1) * Self.chunkCount)
    let content = [UInt8](unsafeUninitializedCapacity: range.count * Self.width + Seal.byteCount) { buffer, filled in
      let bytes = UnsafeMutableRawBufferPointer(buffer)
      for (place, index) in range.enumerated() {
        bytes.store(groups[index], at: place * 8)
        bytes.store(members[index], at: (range.count + place) * 8)
        bytes.store(lengths[index], at: range.count * 16 + place * 4)
      }
      filled = range.count * Self.width
    }
    output.add(content, for: Key.make(output.id, .documents, field, UInt32(truncatingIfNeeded: chunk)))
  }

  static func chunks(_ count: Int) -> Int { (count + chunkCount - 1) >> Int(chunkShift) }
}

/// Writes the terms of each document, so that a document can be removed without its text.
///
/// A value has 256 documents: where the terms of each end, UInt32, then the gaps between their ascending term numbers, in
/// variable length.
struct ForwardWriter {
  static let chunkShift: UInt32 = 8
  static let chunkCount = 1 << Int(chunkShift)

  let field: WordField
  private var ends: [UInt32] = []
  private var gaps = ByteWriter(capacity: 0)
  private var chunk: UInt32 = 0

  init(_ field: WordField) {
    self.field = field
  }

  /// - Parameter terms: Ascending, each once.
  mutating func append(_ terms: some Sequence<UInt32>, to output: inout SegmentOutput) {
    var previous: UInt32 = 0
    for term in terms {
      gaps.writeVariable(term - previous)
      previous = term
    }
    ends.append(UInt32(truncatingIfNeeded: gaps.bytes.count))
    if ends.count == Self.chunkCount { finish(&output) }
  }

  /// Writes the chunk that is being filled.
  mutating func finish(_ output: inout SegmentOutput) {
    if ends.isEmpty { return }
    var value = ByteWriter(capacity: ends.count * 4 + gaps.bytes.count + Seal.byteCount)
    for end in ends { value.write(end) }
    value.writeRaw(gaps.bytes)
    output.add(value.bytes, for: Key.make(output.id, .forward, field, chunk))
    chunk += 1
    ends.removeAll(keepingCapacity: true)
    gaps.bytes.removeAll(keepingCapacity: true)
  }
}
