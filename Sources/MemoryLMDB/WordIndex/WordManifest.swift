import LMDB

/// Which segments there are; what is not listed here is not part of the index.
struct WordManifest: Equatable {
  static let format: UInt32 = 1

  struct Field: Equatable {
    /// Dead ones included.
    var documents: UInt32 = 0
    var dead: UInt32 = 0
    /// Tokens of the documents that are alive.
    var tokens: UInt64 = 0
    var terms: UInt32 = 0
    /// Of all documents, in order to leave out segments that cannot have a group.
    var firstGroup: UInt64 = 0
    var lastGroup: UInt64 = 0

    var alive: UInt32 { documents &- dead }
  }

  struct Segment: Equatable {
    var id: UInt32
    /// Of its values as they were written, without keys.
    var bytes: UInt64 = 0
    var context = Field()
    var steps = Field()

    subscript(field: WordField) -> Field {
      get { field == .context ? context : steps }
      set { if field == .context { context = newValue } else { steps = newValue } }
    }

    var documents: Int { Int(context.documents) + Int(steps.documents) }
    var dead: Int { Int(context.dead) + Int(steps.dead) }
    var alive: Int { documents - dead }
  }

  /// Oldest first.
  var segments: [Segment] = []
  /// Never given out twice in an epoch; 0 is the manifest's own.
  var nextID: UInt32 = 1
  /// Output of merges that have not ended.
  var pending: [UInt32] = []
  /// Segments that are replaced and not yet deleted.
  var retired: [UInt32] = []

  func alive(_ field: WordField) -> Int { segments.reduce(0) { $0 + Int($1[field].alive) } }
  func tokens(_ field: WordField) -> UInt64 { segments.reduce(0) { $0 &+ $1[field].tokens } }

  mutating func takeID() throws(LMDBError) -> UInt32 {
    guard nextID < UInt32.max else {
      throw LMDBError(.invalid, message: "the word index has used up its segment numbers: rebuild it")
    }
    defer { nextID += 1 }
    return nextID
  }

  func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append32(Self.format)
    bytes.append32(nextID)
    for list in [pending, retired] {
      bytes.append32(UInt32(truncatingIfNeeded: list.count))
      for id in list { bytes.append32(id) }
    }
    bytes.append32(UInt32(truncatingIfNeeded: segments.count))
    for segment in segments {
      bytes.append32(segment.id)
      bytes.append64(segment.bytes)
      for field in WordField.allCases {
        let part = segment[field]
        for number in [part.documents, part.dead, part.terms] { bytes.append32(number) }
        for number in [part.tokens, part.firstGroup, part.lastGroup] { bytes.append64(number) }
      }
    }
    return bytes
  }

  init() {}

  init(_ bytes: UnsafeRawBufferPointer) throws(LMDBError) {
    let what: StaticString = "the manifest"
    var reader = try BoundedReader(bytes, what)
    guard try reader.read32(what) == Self.format else {
      throw LMDBError(.versionMismatch, message: "the word index has another format than \(Self.format)")
    }
    nextID = try reader.read32(what)
    pending = try Self.readIDs(&reader, what)
    retired = try Self.readIDs(&reader, what)
    let count = try reader.read32(what)
    segments.reserveCapacity(min(Int(count), reader.remaining / 84))
    for _ in 0..<count {
      var segment = Segment(id: try reader.read32(what))
      segment.bytes = try reader.read64(what)
      for field in WordField.allCases {
        var part = Field()
        part.documents = try reader.read32(what)
        part.dead = try reader.read32(what)
        part.terms = try reader.read32(what)
        part.tokens = try reader.read64(what)
        part.firstGroup = try reader.read64(what)
        part.lastGroup = try reader.read64(what)
        guard part.dead <= part.documents, part.firstGroup <= part.lastGroup else { throw .damagedWords(what) }
        segment[field] = part
      }
      segments.append(segment)
    }
    guard reader.remaining == 0 else { throw .damagedWords(what) }
  }

  private static func readIDs(_ reader: inout BoundedReader, _ what: StaticString) throws(LMDBError) -> [UInt32] {
    let count = try reader.read32(what)
    guard Int(count) <= reader.remaining / 4 else { throw .damagedWords(what) }
    var ids: [UInt32] = []
    for _ in 0..<count { ids.append(try reader.read32(what)) }
    return ids
  }
}
