import LMDB

/// One field of one segment, read in place. Good only as long as the transaction it reads in.
final class FieldReader {
  let snapshot: WordSnapshot
  let segment: UInt32
  let field: WordField
  let facts: WordManifest.Field
  private let chunks: UnsafeMutablePointer<Chunk>
  private let chunkCount: Int
  /// The context that was found last, by whichever cursor. Memory of its own, because each access to a variable of a class
  /// is tracked.
  private let known: UnsafeMutablePointer<(group: UInt64, ordinal: UInt32?)>

  /// 4,096 documents; the last chunk has fewer.
  struct Chunk {
    fileprivate(set) var groups: UnsafeRawPointer?
    fileprivate(set) var count = 0
    fileprivate var dead: UnsafeRawPointer?

    /// The caller knows that `index` is less than `count` and that the chunk was loaded.
    @inline(__always)
    func group(_ index: Int) -> UInt64 { groups.map { $0.load64(index &* 8) } ?? 0 }
    @inline(__always)
    func member(_ index: Int) -> UInt64 { groups.map { $0.load64((count &+ index) &* 8) } ?? 0 }
    @inline(__always)
    func length(_ index: Int) -> UInt32 { groups.map { $0.load32(count &* 16 &+ index &* 4) } ?? 0 }
    @inline(__always)
    func isDead(_ index: Int) -> Bool {
      guard let dead else { return false }
      return dead.load8(index >> 3) & (1 << UInt8(index & 7)) != 0
    }
  }

  init(_ snapshot: WordSnapshot, _ segment: WordManifest.Segment, _ field: WordField) {
    self.snapshot = snapshot
    self.segment = segment.id
    self.field = field
    facts = segment[field]
    chunkCount = DocumentColumns.chunks(Int(facts.documents))
    chunks = .allocate(capacity: max(1, chunkCount))
    chunks.initialize(repeating: Chunk(), count: max(1, chunkCount))
    known = .allocate(capacity: 1)
    known.initialize(to: (0, nil))
  }

  deinit {
    chunks.deallocate()
    known.deallocate()
  }

  /// Ordinals are less than this.
  var count: Int { Int(facts.documents) }

  /// Remembers where a context is, for the cursors that go to the same group next.
  @inline(__always)
  func remember(_ ordinal: UInt32, of group: UInt64) { known.pointee = (group, ordinal) }

  /// The ordinal of a group's context, if that was the last one to be remembered.
  @inline(__always)
  func ordinal(of group: UInt64) -> UInt32? { known.pointee.group == group ? known.pointee.ordinal : nil }

  // MARK: Documents. The caller knows that the ordinal is less than `count`.

  @inline(__always)
  func chunk(_ ordinal: UInt32) throws(LMDBError) -> Chunk {
    let chunk = chunks[Int(ordinal >> DocumentColumns.chunkShift)]
    if chunk.groups != nil { return chunk }
    return try load(Int(ordinal >> DocumentColumns.chunkShift))
  }

  @inline(__always)
  static func place(_ ordinal: UInt32) -> Int { Int(ordinal) & (DocumentColumns.chunkCount - 1) }

  @inline(__always)
  func group(_ ordinal: UInt32) throws(LMDBError) -> UInt64 { try chunk(ordinal).group(Self.place(ordinal)) }

  func isDead(_ ordinal: UInt32) throws(LMDBError) -> Bool {
    facts.dead == 0 ? false : try chunk(ordinal).isDead(Self.place(ordinal))
  }

  private func load(_ number: Int) throws(LMDBError) -> Chunk {
    guard number < chunkCount else { throw .damagedWords("an ordinal") }
    let expected = min(DocumentColumns.chunkCount, count - number * DocumentColumns.chunkCount)
    let value = try snapshot.immutable(
      segment, .documents, field, UInt32(truncatingIfNeeded: number), "a table of documents")
    guard let value, value.count == expected * DocumentColumns.width else {
      throw .damagedWords("a table of documents")
    }
    var chunk = Chunk(groups: value.baseAddress, count: expected)
    if facts.dead != 0, let dead = try deadBits(UInt32(truncatingIfNeeded: number)) {
      guard dead.count == DocumentColumns.chunkCount / 8 else { throw .damagedWords("a table of dead documents") }
      chunk.dead = dead.baseAddress
    }
    chunks[number] = chunk
    return chunk
  }

  func deadBits(_ chunk: UInt32) throws(LMDBError) -> UnsafeRawBufferPointer? {
    try snapshot.mutable(WordKey.make(segment, .dead, field, chunk), "a table of dead documents")
  }

  /// The first ordinal whose document is not before (group, member); `count` if all are. Touches few chunks.
  func firstOrdinal(group: UInt64, member: UInt64) throws(LMDBError) -> Int {
    var (low, high) = (0, count)
    // Chunks first: their last documents are enough to leave out all but one.
    var (lowChunk, highChunk) = (0, chunkCount)
    while lowChunk < highChunk {
      let middle = (lowChunk + highChunk) / 2
      let last = min(count, (middle + 1) << Int(DocumentColumns.chunkShift)) - 1
      if try isBefore(last, group, member) { lowChunk = middle + 1 } else { highChunk = middle }
    }
    low = min(count, lowChunk << Int(DocumentColumns.chunkShift))
    high = min(count, (lowChunk + 1) << Int(DocumentColumns.chunkShift))
    while low < high {
      let middle = (low + high) / 2
      if try isBefore(middle, group, member) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func isBefore(_ ordinal: Int, _ group: UInt64, _ member: UInt64) throws(LMDBError) -> Bool {
    let ordinal = UInt32(truncatingIfNeeded: ordinal)
    let chunk = try chunk(ordinal)
    let found = chunk.group(Self.place(ordinal))
    return found != group ? found < group : chunk.member(Self.place(ordinal)) < member
  }
}
