import ByteCoding
package import LMDB

extension InvertedIndex {
  /// Verifies everything: each seal, order, count and bound, and that there are no other values.
  ///
  /// - Throws: `.damaged` with the first thing that is wrong.
  /// - Complexity: Reads every byte; keeps 40 bytes a document in memory.
  package func checkInvariants(in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) {
    // With its own `verified`, so that every value is verified again.
    let fresh = InvertedIndex(database: database, generation: generation, verified: VerifiedValues())
    let snapshot = fresh.snapshot(transaction)
    let manifest = try snapshot.manifest()
    try fresh.checkValues(snapshot, manifest)
    var names: [[WordDocument]] = []
    var counts = CorpusCounts()
    for segment in manifest.segments {
      guard segment.alive > 0 else { throw .damagedWords("an empty segment") }
      for field in WordField.allCases {
        var check = FieldCheck(FieldReader(segment, field))
        try check.run(snapshot)
        names.append(check.alive)
        counts.add(check.counts)
      }
    }
    let all = names.joined().sorted()
    for (a, b) in zip(all, all.dropFirst()) where a == b {
      throw LMDBError(.damaged, message: "document \(a.group)/\(a.member) is twice in the word index")
    }
    guard try fresh.storedCounts(snapshot) == counts.sums else { throw .damagedWords("a count of documents") }
  }

  private func storedCounts(_ snapshot: Snapshot) throws(LMDBError) -> [CorpusCounts.Place: CorpusCount] {
    var counts: [CorpusCounts.Place: CorpusCount] = [:]
    for field in WordField.allCases {
      let prefix = Key.make(0, .counts, field, term: UnsafeRawBufferPointer(start: nil, count: 0))
      for key in try snapshot.keys(from: prefix) where key.count == prefix.count + 4 {
        let level = key.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        counts[CorpusCounts.Place(field: field, level: level)] = try snapshot.count(field, level)
      }
    }
    return counts
  }

  /// Verifies each seal, and that each value belongs to a segment in the manifest.
  private func checkValues(_ snapshot: Snapshot, _ manifest: Manifest) throws(LMDBError) {
    let listed = manifest.segments.map(\.id) + manifest.pending + manifest.retired
    let known = Set(listed)
    guard known.count == listed.count, listed.allSatisfy({ $0 > 0 && $0 < manifest.nextID }) else {
      throw .damagedWords("the manifest")
    }
    var cursor = try snapshot.transaction.cursor(in: database)
    while let entry = try cursor.next() {
      _ = try snapshot.open(entry.value, key: entry.key, verified: nil, "a value")
      let key = entry.key.withUnsafeBytes { Array($0) }
      if key == Key.manifest { continue }
      let segment = key.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      if segment == 0, key.count == Key.prefixCount + 4, key[4] == Key.Kind.counts.rawValue { continue }
      guard key.count >= Key.prefixCount, known.contains(segment) else { throw .damagedWords("a key") }
    }
  }
}

/// Verifies that the tables of one field of one segment agree.
private struct FieldCheck {
  /// The documents that are alive, after `run`.
  private(set) var alive: [WordDocument] = []
  private(set) var counts = CorpusCounts()

  private let reader: FieldReader
  /// By ordinal: tokens found in posting lists, and a sum over their terms.
  private var tokens: [UInt64]
  private var termSums: [UInt64]
  /// Dead documents by level and chunk of terms.
  private var dead: [UInt64: DeadTerms] = [:]

  init(_ reader: FieldReader) {
    self.reader = reader
    tokens = [UInt64](repeating: 0, count: reader.count)
    termSums = tokens
  }

  mutating func run(_ snapshot: Snapshot) throws(LMDBError) {
    try checkDocuments(snapshot)
    try checkTerms(snapshot)
    guard try storedDead(snapshot) == dead else { throw .damagedWords("a count of dead documents") }
    for ordinal in 0..<reader.facts.documents {
      let chunk = try reader.chunk(ordinal, snapshot)
      guard tokens[Int(ordinal)] >= UInt64(chunk.length(FieldReader.place(ordinal))) else {
        throw .damagedWords("a document's length")
      }
      let sum = try reader.terms(of: ordinal, snapshot).reduce(UInt64(0)) { $0 &+ Self.hash($1) }
      guard sum == termSums[Int(ordinal)] else { throw .damagedWords("a list of a document's terms") }
    }
  }

  private mutating func checkDocuments(_ snapshot: Snapshot) throws(LMDBError) {
    let facts = reader.facts
    var last: WordDocument?
    var living: UInt64 = 0
    for ordinal in 0..<facts.documents {
      let chunk = try reader.chunk(ordinal, snapshot)
      let place = FieldReader.place(ordinal)
      let name = chunk.document(place, reader.field)
      if let last, !(last < name) { throw .damagedWords("the order of documents") }
      if ordinal == 0, name.group != facts.firstGroup { throw .damagedWords("the manifest") }
      last = name
      if chunk.isDead(place) { continue }
      alive.append(name)
      counts.count(reader.field, group: name.group, length: chunk.length(place))
      living += UInt64(chunk.length(place))
    }
    guard living == facts.tokens, alive.count == Int(facts.alive), last?.group ?? 0 == facts.lastGroup else {
      throw .damagedWords("the manifest")
    }
  }

  private mutating func checkTerms(_ snapshot: Snapshot) throws(LMDBError) {
    var iterator = try TermIterator(reader, atOrAfter: [], snapshot)
    var last: [UInt8]?
    var count: UInt32 = 0
    let memory = CursorMemory(1)
    while let term = iterator.term, let list = try iterator.list(snapshot) {
      if let last, !last.withUnsafeBytes({ $0.precedes(term) }) { throw .damagedWords("the order of terms") }
      guard list.number == count else { throw .damagedWords("the number of a term") }
      last = Array(term)
      count += 1
      try check(list, memory, snapshot)
      try iterator.next(snapshot)
    }
    guard count == reader.facts.terms else { throw .damagedWords("the number of terms") }
  }

  private mutating func check(
    _ list: PostingList, _ memory: CursorMemory, _ snapshot: Snapshot
  ) throws(LMDBError) {
    var cursor = PostingCursor(list, reader, buffer: memory.buffer(0))
    var positions = PostingPositions()
    defer { positions.free() }
    var documents = 0
    try cursor.next(snapshot)
    while !cursor.isAtEnd {
      let place = FieldReader.place(cursor.ordinal)
      let chunk = try reader.chunk(cursor.ordinal, snapshot)
      guard cursor.group <= cursor.lastGroup else { throw .damagedWords("the index of a posting list") }
      for offset in [list.impactsOffset, list.impactsOffset(cursor.block)] {
        var isBounded = false
        try list.forEachImpact(at: offset) { frequency, length in
          if frequency >= cursor.frequency, length <= chunk.length(place) { isBounded = true }
        }
        guard isBounded else { throw .damagedWords("an impact") }
      }
      _ = try positions.read(&cursor, snapshot)
      documents += 1
      if chunk.isDead(place) {
        for level in WordCorpus.levels(of: cursor.group) {
          dead[Self.key(level, list.number >> DeadTerms.shift), default: DeadTerms()]
            .counts[Int(list.number & DeadTerms.mask)] += 1
        }
      }
      tokens[Int(cursor.ordinal)] += UInt64(cursor.frequency)
      termSums[Int(cursor.ordinal)] &+= Self.hash(list.number)
      try cursor.next(snapshot)
    }
    guard documents == list.documents else { throw .damagedWords("the length of a posting list") }
  }

  private func storedDead(_ snapshot: Snapshot) throws(LMDBError) -> [UInt64: DeadTerms] {
    var stored: [UInt64: DeadTerms] = [:]
    let prefix = Key.make(
      reader.segment, .deadTerms, reader.field, term: UnsafeRawBufferPointer(start: nil, count: 0))
    for key in try snapshot.keys(from: prefix) where key.count == prefix.count + 8 {
      let number = key.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      let (level, chunk) = (UInt32(truncatingIfNeeded: number >> 32), UInt32(truncatingIfNeeded: number))
      if let terms = try reader.deadTerms(level, chunk, snapshot) { stored[number] = terms }
    }
    return stored
  }

  private static func key(_ level: UInt32, _ chunk: UInt32) -> UInt64 { UInt64(level) << 32 | UInt64(chunk) }

  /// Hashes a term's number, so that the sums of different sets of terms differ.
  private static func hash(_ term: UInt32) -> UInt64 { Checksum.of(UInt64(term), seed: 0) }
}

extension Snapshot {
  /// The keys that begin with `prefix`, in order.
  fileprivate func keys(from prefix: [UInt8]) throws(LMDBError) -> [[UInt8]] {
    var keys: [[UInt8]] = []
    var cursor = try transaction.cursor(in: index.database)
    if let first = try cursor.seek(atOrAfter: prefix.span.bytes), first.hasPrefix(prefix) {
      keys.append(first.key.withUnsafeBytes { Array($0) })
    } else {
      return []
    }
    while let entry = try cursor.next(), entry.hasPrefix(prefix) {
      keys.append(entry.key.withUnsafeBytes { Array($0) })
    }
    return keys
  }
}
