import ByteCoding
import LMDB

@testable import WordIndex

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// An index in a directory of its own, which is removed with the value.
struct WordIndexFixture: ~Copyable {
  static let generation: UInt64 = 0x0123_4567_89AB_CDEF

  let directory: String
  let environment: Environment
  let index: InvertedIndex

  init() throws {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/words-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
    }
    guard let made else { throw LMDBError(.unavailable, message: "no directory for a test") }
    var options = Environment.Options(mapSize: 1 << 30)
    options.durability = .noSync
    let opened = try Environment.open(at: made, options: options)
    let database = try opened.database(named: "words")
    directory = made
    environment = opened
    index = InvertedIndex(database: database, generation: Self.generation, verified: VerifiedValues())
  }

  deinit {
    environment.close()
    unlink(directory + "/data.mdb")
    unlink(directory + "/lock.mdb")
    rmdir(directory)
  }

  func add(_ documents: [SampleDocument]) throws {
    try environment.write { transaction throws(LMDBError) in
      var builder = SegmentBuilder()
      for document in documents { try builder.add(document) }
      try index.add(builder, in: &transaction)
    }
  }

  /// Runs merges until none is due.
  func mergeAll() throws {
    while let plan = try environment.read({ transaction throws(LMDBError) in try index.dueMerge(in: transaction) }) {
      _ = try merge(plan)
    }
  }

  func merge(_ plan: MergePlan) throws(LMDBError) -> Bool {
    let environment = environment
    return try index.merge(
      plan,
      read: { body throws(LMDBError) in
        try environment.read { transaction throws(LMDBError) in try body(transaction) }
      },
      write: { body throws(LMDBError) in
        try environment.write { transaction throws(LMDBError) in try body(&transaction) }
      })
  }

  func search(_ query: WordQuery, limit: Int = 10, admits: (UInt64) -> Bool = { _ in true }) throws -> [GroupScore] {
    try environment.read { transaction throws(LMDBError) in
      try index.search(index.prepare(query, in: transaction), limit: limit, admits: admits, in: transaction)
    }
  }

  func check() throws {
    try environment.read { transaction throws(LMDBError) in try index.checkInvariants(in: transaction) }
  }

  func statistics() throws -> InvertedIndex.Statistics {
    try environment.read { transaction throws(LMDBError) in try index.statistics(in: transaction) }
  }
}

/// A document of a test: words at positions.
struct SampleDocument {
  var name: WordDocument
  var words: [(word: String, position: UInt32)]

  init(_ field: WordField, _ group: UInt64, _ text: String) {
    self.init(field, group, 0, text)
  }

  init(_ field: WordField, _ group: UInt64, _ member: UInt64, _ text: String) {
    name = WordDocument(field: field, group: group, member: member)
    words = text.split(separator: " ").enumerated().map { (String($1), UInt32($0)) }
  }
}

extension SegmentBuilder {
  mutating func add(_ document: SampleDocument) throws(LMDBError) {
    try begin(document.name)
    for (word, position) in document.words {
      let bytes = Array(word.utf8)
      try bytes.span.bytes.withUnsafeBytes { token throws(LMDBError) in try add(token: token, position: position) }
    }
    try end()
  }
}

extension WordQuery {
  /// - Parameter words: Separated by spaces.
  init(_ words: String, phrases: [String] = [], prefixes: [String] = []) {
    self.init()
    self.words = words.split(separator: " ").map { Array($0.utf8) }
    self.phrases = phrases.map { $0.split(separator: " ").map { Array($0.utf8) } }
    self.prefixes = prefixes.map { Array($0.utf8) }
  }
}
