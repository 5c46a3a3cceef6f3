import LMDB

extension SegmentBuilder {
  /// Writes what was collected as a segment into `output`.
  ///
  /// - Throws: `.invalid` for a document that is there twice.
  /// - Complexity: O(*n* log *n*), *n* documents, terms and tokens.
  func encode(to output: inout SegmentOutput) throws(LMDBError) -> WordManifest.Segment {
    var segment = WordManifest.Segment(id: output.id)
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
  ) -> WordManifest.Field {
    var columns = DocumentColumns()
    var part = WordManifest.Field()
    for index in order {
      let document = documents[index]
      columns.append(group: document.name.group, member: document.name.member, length: document.tokenCount)
      part.tokens += UInt64(document.tokenCount)
    }
    for chunk in 0..<DocumentColumns.chunks(columns.count) {
      output.add(
        columns.encodedChunk(chunk),
        for: WordKey.make(output.id, .documents, field, UInt32(truncatingIfNeeded: chunk)))
    }
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

  /// - Returns: The number of each term that occurs, by its place in the table.
  private func encodeDictionary(
    _ field: WordField, _ order: [Int], _ sortedTerms: [Int], _ columns: DocumentColumns,
    _ part: inout WordManifest.Field, to output: inout SegmentOutput
  ) -> [UInt32] {
    // Tokens in order of their terms and, within a term, of documents: a counting sort.
    var starts = [Int](repeating: 0, count: terms.count + 1)
    for index in order {
      for token in tokens(of: documents[index]) { starts[Int(token >> 32) + 1] += 1 }
    }
    for term in 0..<terms.count { starts[term + 1] += starts[term] }
    var ends = starts
    let postings = [UInt64](unsafeUninitializedCapacity: starts[terms.count]) { buffer, count in
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
          buffer.positions.appendVariable(position - previous)
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
