extension String {
  /// Its beginning and its end in at most `limit` bytes, cut between characters, with a marker on a line between them.
  ///
  /// A limit below the 200 bytes that a marker may take leaves the beginning alone.
  package func cut(toBytes limit: Int) -> String {
    let count = utf8.count
    guard count > limit else { return self }
    // The marker's length varies with its numbers; this is its longest, with two line ends.
    let room = limit - OmissionMarker(lines: count, bytes: count).text.utf8.count - 2
    guard room > 0 else { return String(self[..<boundary(before: max(0, limit))]) }
    let head = self[..<boundary(before: room / 2)]
    let tail = self[boundary(after: count - room / 2)...]
    let omitted = self[head.endIndex..<tail.startIndex].utf8
    let marker = OmissionMarker(lines: omitted.count { $0 == UInt8(ascii: "\n") }, bytes: omitted.count)
    return head + (head.isEmpty || head.utf8.last == UInt8(ascii: "\n") ? "" : "\n") + marker.text + "\n" + tail
  }

  /// The last boundary of characters at or before a byte; of scalars in a character of hundreds of bytes.
  private func boundary(before offset: Int) -> Index {
    boundary(from: offset) { utf8.index(before: $0) }
  }

  /// The first boundary of characters at or after a byte; of scalars in a character of hundreds of bytes.
  private func boundary(after offset: Int) -> Index {
    boundary(from: offset) { utf8.index(after: $0) }
  }

  private func boundary(from offset: Int, _ next: (Index) -> Index) -> Index {
    let start = utf8.index(utf8.startIndex, offsetBy: offset)
    var index = start
    for _ in 0..<256 {
      if index == startIndex || index == endIndex || Index(index, within: self) != nil { return index }
      index = next(index)
    }
    index = start
    while index != startIndex, index != endIndex, Index(index, within: unicodeScalars) == nil { index = next(index) }
    return index
  }
}
