import ByteCoding
package import LMDB

/// Collects a batch of documents in memory, for one segment.
///
/// For each document, in any order of documents: `begin`, `add` for each token, `end`.
package struct SegmentBuilder: ~Copyable {
  private struct Draft {
    var name: WordDocument
    var firstToken: Int
    var tokenCount: UInt32
    /// Of bm25: the tokens that count.
    var length: UInt32
  }

  private var terms = TermTable()
  private var documents: [Draft] = []
  /// The number of each token's term in the high half, its position in the low half.
  private var tokens: [UInt64] = []
  private var open: WordDocument?
  private var openFirst = 0
  private var lastPosition: UInt32?
  private var uncounted: UInt32 = 0

  package init() {}

  package var documentCount: Int { documents.count }
  /// Estimate of the memory it takes; the segment takes less.
  package var byteCount: Int { terms.byteCount + tokens.count * 8 + documents.count * 40 }

  /// - Throws: `.invalid` for group `UInt64.max`, or if a document is open.
  package mutating func begin(_ name: WordDocument) throws(LMDBError) {
    guard name.group != .max, open == nil else {
      throw LMDBError(.invalid, message: "cannot begin document \(name.group)/\(name.member) of the word index")
    }
    open = name
    openFirst = tokens.count
    lastPosition = nil
    uncounted = 0
  }

  /// - Parameter position: Greater than the document's last one; no phrase matches across a gap.
  /// - Parameter counts: Whether it counts in the length of the document.
  /// - Throws: `.invalid` for a position out of order or without an open document, or past 2^31 tokens.
  package mutating func add(
    token: UnsafeRawBufferPointer, position: UInt32, counts: Bool = true
  ) throws(LMDBError) {
    guard open != nil, lastPosition.map({ $0 < position }) ?? true, tokens.count < Int(Int32.max),
      terms.arena.count < Int(Int32.max) - token.count
    else {
      throw LMDBError(.invalid, message: "token at \(position) of the word index is out of order")
    }
    lastPosition = position
    let term: UInt32
    if token.count <= Key.longestTerm {
      term = terms.number(of: token)
    } else {
      term = Key.term(token).withUnsafeBytes { terms.number(of: $0) }
    }
    tokens.append(UInt64(term) << 32 | UInt64(position))
    if !counts { uncounted += 1 }
  }

  /// - Throws: `.invalid` if no document is open.
  package mutating func end() throws(LMDBError) {
    guard let name = open else {
      throw LMDBError(.invalid, message: "no document of the word index is open")
    }
    let count = UInt32(truncatingIfNeeded: tokens.count - openFirst)
    documents.append(Draft(name: name, firstToken: openFirst, tokenCount: count, length: count - uncounted))
    open = nil
  }

  /// The documents by the levels of their groups.
  var counts: CorpusCounts {
    var counts = CorpusCounts()
    for document in documents {
      counts.count(document.name.field, group: document.name.group, length: document.length)
    }
    return counts
  }

  // MARK: Encoding

  /// Writes the batch to `output` as a segment.
  ///
  /// - Throws: `.invalid` if a document is in the batch twice.
  /// - Complexity: O(*n* log *n*), *n* documents, terms and tokens.
  func encode(to output: inout SegmentOutput) throws(LMDBError) -> Manifest.Segment {
    var segment = Manifest.Segment(id: output.id)
    let terms = terms.sorted()
    for field in WordField.allCases {
      let order = documents.indices.filter { documents[$0].name.field == field }
        .sorted { documents[$0].name < documents[$1].name }
      if order.isEmpty { continue }
      for (a, b) in zip(order, order.dropFirst()) where documents[a].name == documents[b].name {
        let name = documents[a].name
        throw LMDBError(
          .invalid, message: "document \(name.group)/\(name.member) is twice in a batch of the word index")
      }
      segment[field] = encode(field, order, terms, to: &output)
    }
    segment.bytes = output.totalBytes
    return segment
  }

  private func encode(
    _ field: WordField, _ order: [Int], _ sortedTerms: [Int], to output: inout SegmentOutput
  ) -> Manifest.Field {
    var columns = DocumentColumns()
    var part = Manifest.Field()
    for index in order {
      let document = documents[index]
      columns.append(group: document.name.group, member: document.name.member, length: document.length)
      part.tokens += UInt64(document.length)
    }
    for chunk in 0..<DocumentColumns.chunks(columns.count) { columns.write(field, chunk: chunk, to: &output) }
    let numbers = encodeDictionary(field, order, sortedTerms, columns, &part, to: &output)

    var forward = ForwardWriter(field)
    var row: [UInt32] = []
    for index in order {
      row.removeAll(keepingCapacity: true)
      for token in tokens(of: documents[index]) { row.append(numbers[Int(token >> 32)]) }
      row.sort()
      var distinct = 0
      for at in row.indices where distinct == 0 || row[distinct - 1] != row[at] {
        row[distinct] = row[at]
        distinct += 1
      }
      forward.append(row.prefix(distinct), to: &output)
    }
    forward.finish(&output)
    part.documents = UInt32(truncatingIfNeeded: columns.count)
    part.firstGroup = columns.groups.first ?? 0
    part.lastGroup = columns.groups.last ?? 0
    return part
  }

  /// - Returns: The number in the dictionary of each term that occurs, by its number in the table.
  private func encodeDictionary(
    _ field: WordField, _ order: [Int], _ sortedTerms: [Int], _ columns: DocumentColumns,
    _ part: inout Manifest.Field, to output: inout SegmentOutput
  ) -> [UInt32] {
    // A counting sort of the tokens by term and, within a term, by document.
    var starts = [Int](repeating: 0, count: terms.count + 1)
    for index in order {
      for token in tokens(of: documents[index]) { starts[Int(token >> 32) + 1] += 1 }
    }
    for term in 0..<terms.count { starts[term + 1] += starts[term] }
    var ends = starts
    // At least 1: with 0 the initialiser writes to the buffer that all empty arrays share.
    let postings = [UInt64](unsafeUninitializedCapacity: max(starts[terms.count], 1)) { buffer, count in
      for (ordinal, index) in order.enumerated() {
        for token in tokens(of: documents[index]) {
          let term = Int(token >> 32)
          buffer[ends[term]] = UInt64(ordinal) << 32 | token & 0xFFFF_FFFF
          ends[term] += 1
        }
      }
      count = starts[terms.count]
    }

    var numbers = [UInt32](repeating: 0, count: terms.count)
    var writer = DictionaryWriter(field)
    var buffer = PostingBuffer()
    for term in sortedTerms where starts[term] < starts[term + 1] {
      buffer.removeAll()
      var at = starts[term]
      while at < starts[term + 1] {
        let ordinal = UInt32(truncatingIfNeeded: postings[at] >> 32)
        var frequency: UInt32 = 0
        var previous: UInt32 = 0
        while at < starts[term + 1], UInt32(truncatingIfNeeded: postings[at] >> 32) == ordinal {
          let position = UInt32(truncatingIfNeeded: postings[at])
          buffer.positions.writeVariable(position - previous)
          previous = position
          frequency += 1
          at += 1
        }
        buffer.append(ordinal: ordinal, frequency: frequency)
      }
      numbers[term] = writer.add(terms.bytes(term), buffer, columns, to: &output)
    }
    writer.finish(&output)
    part.terms = writer.termCount
    return numbers
  }

  private func tokens(of document: Draft) -> ArraySlice<UInt64> {
    tokens[document.firstToken..<document.firstToken + Int(document.tokenCount)]
  }
}
