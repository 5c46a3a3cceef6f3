import LMDB

/// Collects documents for one segment, in memory.
///
/// `begin`, then `add` each token, then `end`, for each document, in any order of documents.
struct SegmentBuilder: ~Copyable {
  struct Draft {
    var name: WordDocument
    var firstToken: Int
    var tokenCount: UInt32
  }

  private(set) var terms = TermTable()
  private(set) var documents: [Draft] = []
  /// A word for each token: its term above, its position below.
  private(set) var tokens: [UInt64] = []
  private var open: WordDocument?
  private var openFirst = 0
  private var lastPosition: UInt32?

  init() {}

  var documentCount: Int { documents.count }
  /// About what it takes in memory; the segment takes less.
  var byteCount: Int { terms.byteCount + tokens.count * 8 + documents.count * 40 }

  /// - Throws: `.invalid` for group `UInt64.max`, or if a document is open.
  mutating func begin(field: WordField, group: UInt64, member: UInt64 = 0) throws(LMDBError) {
    guard group != .max, open == nil else {
      throw LMDBError(.invalid, message: "cannot begin document \(group)/\(member) of the word index")
    }
    open = WordDocument(field: field, group: group, member: member)
    openFirst = tokens.count
    lastPosition = nil
  }

  /// - Parameter position: Greater than the last one in this document; a gap keeps phrases from crossing it.
  /// - Throws: `.invalid` for a position out of order or without an open document, or past 2^31 tokens.
  mutating func add(token: UnsafeRawBufferPointer, position: UInt32) throws(LMDBError) {
    guard open != nil, lastPosition.map({ $0 < position }) ?? true, tokens.count < Int(Int32.max),
      terms.arena.count < Int(Int32.max) - token.count
    else {
      throw LMDBError(.invalid, message: "token at \(position) of the word index is out of order")
    }
    lastPosition = position
    let term: UInt32
    if token.count <= WordKey.longestTerm {
      term = terms.number(of: token)
    } else {
      term = WordKey.term(token).withUnsafeBytes { terms.number(of: $0) }
    }
    tokens.append(UInt64(term) << 32 | UInt64(position))
  }

  /// - Throws: `.invalid` if no document is open.
  mutating func end() throws(LMDBError) {
    guard let name = open else {
      throw LMDBError(.invalid, message: "no document of the word index is open")
    }
    let count = UInt32(truncatingIfNeeded: tokens.count - openFirst)
    documents.append(Draft(name: name, firstToken: openFirst, tokenCount: count))
    open = nil
  }

  /// Drops a document that was begun and not ended.
  mutating func cancel() {
    guard open != nil else { return }
    tokens.removeSubrange(openFirst...)
    open = nil
  }
}
