import LMDB

/// Verifies one field of one segment against itself.
struct FieldCheck {
  /// The documents that are alive, once it has run.
  private(set) var alive: [WordDocument] = []

  private let reader: FieldReader
  /// By ordinal: tokens that were met in posting lists, and a sum over their terms.
  private var tokens: [UInt64]
  private var termSums: [UInt64]

  init(_ reader: FieldReader) {
    self.reader = reader
    tokens = [UInt64](repeating: 0, count: reader.count)
    termSums = tokens
  }

  mutating func run() throws(LMDBError) {
    try checkDocuments()
    try checkTerms()
    for ordinal in 0..<reader.facts.documents {
      let chunk = try reader.chunk(ordinal)
      guard tokens[Int(ordinal)] == UInt64(chunk.length(FieldReader.place(ordinal))) else {
        throw .damagedWords("a document's length")
      }
      let sum = try reader.terms(of: ordinal).reduce(UInt64(0)) { $0 &+ Self.mixed($1) }
      guard sum == termSums[Int(ordinal)] else { throw .damagedWords("a list of a document's terms") }
    }
  }

  private mutating func checkDocuments() throws(LMDBError) {
    let facts = reader.facts
    var last: WordDocument?
    var living: UInt64 = 0
    for ordinal in 0..<facts.documents {
      let chunk = try reader.chunk(ordinal)
      let place = FieldReader.place(ordinal)
      let name = WordDocument(field: reader.field, group: chunk.group(place), member: chunk.member(place))
      if let last, !(last < name) { throw .damagedWords("the order of documents") }
      if ordinal == 0, name.group != facts.firstGroup { throw .damagedWords("the manifest") }
      last = name
      if chunk.isDead(place) { continue }
      alive.append(name)
      living += UInt64(chunk.length(place))
    }
    guard living == facts.tokens, alive.count == Int(facts.alive), last?.group ?? 0 == facts.lastGroup else {
      throw .damagedWords("the manifest")
    }
  }

  private mutating func checkTerms() throws(LMDBError) {
    var iterator = try TermIterator(reader, after: nil)
    var last: [UInt8]?
    var count: UInt32 = 0
    let memory = CursorMemory(1)
    while let term = iterator.term, let list = try iterator.list() {
      if let last, !last.withUnsafeBytes({ $0.precedes(term) }) { throw .damagedWords("the order of terms") }
      guard list.number == count else { throw .damagedWords("the number of a term") }
      last = Array(term)
      count += 1
      try check(list, memory)
      try iterator.next()
    }
    guard count == reader.facts.terms else { throw .damagedWords("the number of terms") }
  }

  private mutating func check(_ list: PostingList, _ memory: CursorMemory) throws(LMDBError) {
    var cursor = PostingCursor(list, reader, buffer: memory.buffer(0))
    var positions = PostingPositions()
    defer { positions.free() }
    var (documents, dead) = (0, 0)
    try cursor.next()
    while !cursor.isAtEnd {
      let place = FieldReader.place(cursor.ordinal)
      let chunk = try reader.chunk(cursor.ordinal)
      guard cursor.group <= cursor.lastGroup else { throw .damagedWords("the index of a posting list") }
      for offset in [list.impactsOffset, list.impactsOffset(cursor.block)] {
        var isBounded = false
        try list.forEachImpact(at: offset) { frequency, length in
          if frequency >= cursor.frequency, length <= chunk.length(place) { isBounded = true }
        }
        guard isBounded else { throw .damagedWords("an impact") }
      }
      _ = try positions.read(&cursor)
      documents += 1
      if chunk.isDead(place) { dead += 1 }
      tokens[Int(cursor.ordinal)] += UInt64(cursor.frequency)
      termSums[Int(cursor.ordinal)] &+= Self.mixed(list.number)
      try cursor.next()
    }
    guard documents == list.documents else { throw .damagedWords("the length of a posting list") }
    guard dead == (try reader.deadDocuments(ofTerm: list.number)) else {
      throw .damagedWords("a count of dead documents")
    }
  }

  /// Spreads a term's number, so that the sums of different sets of terms differ.
  private static func mixed(_ term: UInt32) -> UInt64 {
    let product = (UInt64(term) &+ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
    return product.high ^ product.low
  }
}
