/// The terms of each document, so that a document can be removed without its text.
///
/// A value has 256 documents: where each one's terms end, UInt32, then the gaps between their ascending term numbers,
/// seven bits a byte.
struct ForwardWriter {
  static let chunkShift: UInt32 = 8
  static let chunkCount = 1 << Int(chunkShift)

  let field: WordField
  private var ends: [UInt32] = []
  private var bytes: [UInt8] = []
  private var chunk: UInt32 = 0

  init(_ field: WordField) {
    self.field = field
  }

  /// - Parameter terms: Ascending, each once.
  mutating func append(_ terms: some Sequence<UInt32>, to output: inout SegmentOutput) {
    var previous: UInt32 = 0
    for term in terms {
      bytes.appendVariable(term - previous)
      previous = term
    }
    ends.append(UInt32(truncatingIfNeeded: bytes.count))
    if ends.count == Self.chunkCount { finish(&output) }
  }

  /// Writes what is left.
  mutating func finish(_ output: inout SegmentOutput) {
    if ends.isEmpty { return }
    var value: [UInt8] = []
    value.reserveCapacity(ends.count * 4 + bytes.count + WordSeal.byteCount)
    for end in ends { value.append32(end) }
    value.append(contentsOf: bytes)
    output.add(value, for: WordKey.make(output.id, .forward, field, chunk))
    chunk += 1
    ends.removeAll(keepingCapacity: true)
    bytes.removeAll(keepingCapacity: true)
  }
}
