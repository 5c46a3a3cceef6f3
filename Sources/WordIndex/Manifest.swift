import ByteCoding
import LMDB
import Synchronization

/// The segments of the index; a value of a segment that is not listed here does not belong to the index.
///
/// Layout: format UInt32; next segment number UInt32; pending and retired segments, each a UInt32 count and numbers; the
/// segments, a UInt32 count and for each number UInt32, bytes UInt64 and for both fields documents, dead, terms UInt32,
/// tokens, first group, last group UInt64.
struct Manifest: Equatable {
  static let format: UInt32 = 1

  struct Field: Equatable {
    /// Dead ones included.
    var documents: UInt32 = 0
    var dead: UInt32 = 0
    /// Of the documents that are alive.
    var tokens: UInt64 = 0
    var terms: UInt32 = 0
    /// Of all documents: a segment without a group in question is left out unread.
    var firstGroup: UInt64 = 0
    var lastGroup: UInt64 = 0

    var alive: UInt32 { documents &- dead }

    func mayHave(_ group: UInt64) -> Bool { alive > 0 && firstGroup <= group && group <= lastGroup }
  }

  struct Segment: Equatable {
    let id: UInt32
    /// Of its values as they were written, without keys.
    var bytes: UInt64 = 0
    var parents = Field()
    var children = Field()

    subscript(field: WordField) -> Field {
      get { field == .parent ? parents : children }
      set { if field == .parent { parents = newValue } else { children = newValue } }
    }

    var documents: Int { Int(parents.documents) + Int(children.documents) }
    var dead: Int { Int(parents.dead) + Int(children.dead) }
    var alive: Int { documents - dead }
  }

  /// Oldest first.
  var segments: [Segment] = []
  /// A number is used once in a generation; 0 is the manifest's own.
  var nextID: UInt32 = 1
  /// Output of merges that have not ended.
  var pending: [UInt32] = []
  /// Segments that are replaced and not yet deleted.
  var retired: [UInt32] = []

  func alive(_ field: WordField) -> Int { segments.reduce(0) { $0 + Int($1[field].alive) } }

  mutating func takeID() throws(LMDBError) -> UInt32 {
    guard nextID < UInt32.max else {
      throw LMDBError(.invalid, message: "the word index has used up its segment numbers: rebuild it")
    }
    defer { nextID += 1 }
    return nextID
  }

  func encoded() -> [UInt8] {
    var bytes = ByteWriter(capacity: 32 + 100 * segments.count)
    bytes.write(Self.format)
    bytes.write(nextID)
    for list in [pending, retired] { bytes.write(list) { $0.write($1) } }
    bytes.write(segments) { bytes, segment in
      bytes.write(segment.id)
      bytes.write(segment.bytes)
      for field in WordField.allCases {
        let part = segment[field]
        for number in [part.documents, part.dead, part.terms] { bytes.write(number) }
        for number in [part.tokens, part.firstGroup, part.lastGroup] { bytes.write(number) }
      }
    }
    return bytes.bytes
  }

  init() {}

  init(_ bytes: inout ByteReader) throws(MalformedBytes) {
    guard try bytes.integer(UInt32.self) == Self.format else { throw MalformedBytes() }
    nextID = try bytes.integer()
    pending = try bytes.array { bytes throws(MalformedBytes) in try bytes.integer() }
    retired = try bytes.array { bytes throws(MalformedBytes) in try bytes.integer() }
    segments = try bytes.array { bytes throws(MalformedBytes) in
      var segment = Segment(id: try bytes.integer())
      segment.bytes = try bytes.integer()
      for field in WordField.allCases {
        var part = Field()
        part.documents = try bytes.integer()
        part.dead = try bytes.integer()
        part.terms = try bytes.integer()
        part.tokens = try bytes.integer()
        part.firstGroup = try bytes.integer()
        part.lastGroup = try bytes.integer()
        guard part.dead <= part.documents, part.firstGroup <= part.lastGroup else { throw MalformedBytes() }
        segment[field] = part
      }
      return segment
    }
  }
}

/// The manifest that was read last, so that the next query need not decode it.
///
/// It is found by its seal, which is bound to content and generation: another manifest has another one.
final class ManifestCache: Sendable {
  private let entry = Mutex<(seal: UInt64, manifest: Manifest)?>(nil)

  subscript(seal: UInt64) -> Manifest? {
    entry.withLock { $0?.seal == seal ? $0?.manifest : nil }
  }

  func keep(_ manifest: Manifest, sealed seal: UInt64) {
    entry.withLock { $0 = (seal, manifest) }
  }
}
