/// Which signals a recall uses.
public enum RecallMode: String, CaseIterable, Sendable {
  /// Words, and the vector where there is one.
  case hybrid
  case text
  case vector
}

/// The queries of a file, each with its vector, ready to be asked.
struct QueryFile {
  struct Entry {
    let place: String
    let id: String
    let query: Query
  }

  let entries: [Entry]

  /// Reads all of it, so that nothing is asked where a line is bad.
  ///
  /// - Throws: `.invalid`, naming file, line, field, value and remedy.
  init(
    _ file: InputFile, vectors source: VectorSource?, mode: RecallMode, limit: Int, limits: Limits
  ) throws(MemoryError) {
    guard source != nil || mode != .vector else {
      throw MemoryError(.invalid, "recall by vector needs the vectors of the queries; name their file")
    }
    guard source?.file != .standardInput || file != .standardInput else {
      throw MemoryError(.invalid, "standard input is named twice; it can be read once")
    }
    let lines = try Self.lines(of: try OpenInput(file))
    var vectors: VectorFile?
    if let source, mode != .text {
      vectors = try VectorFile(source, limits: limits)
      try vectors?.require(rows: lines.count, for: "queries")
    }
    var entries: [Entry] = []
    for (row, (place, line)) in lines.enumerated() {
      var query = Query(
        text: mode == .vector ? nil : line.text, scope: line.scope, filter: line.filter, limit: limit)
      if let source, let vectors {
        do throws(MemoryError) {
          query.vector = try vectors.row(row)
        } catch {
          throw error.located(at: place)
        }
        query.space = source.space
      }
      entries.append(Entry(place: place, id: line.id, query: query))
    }
    self.entries = entries
  }

  private static func lines(of input: OpenInput) throws(MemoryError) -> [(place: String, line: QueryLine)] {
    var reader = LineReader(input)
    var lines: [(place: String, line: QueryLine)] = []
    do throws(MemoryError) {
      while let line = try reader.next() { lines.append(("\(input.name):\(line.number)", try QueryLine(line.bytes))) }
    } catch {
      throw error.located(at: "\(input.name):\(reader.number)")
    }
    return lines
  }
}

extension VectorSource {
  /// `nil` where the model is left to the store.
  package var space: EmbeddingSpace? { model.map { EmbeddingSpace(model: $0, dimensions: dimensions) } }

  /// The vector of a file that has no other.
  ///
  /// - Throws: `.invalid` where the file has another number of rows, or its row is not finite or all zero.
  public func onlyVector() throws(MemoryError) -> [Float] {
    let file = try VectorFile(self, limits: Limits())
    try file.require(rows: 1, for: "query")
    return try file.row(0)
  }
}

extension MemoryError {
  /// The same, said of a place such as `queries.jsonl:12`.
  func located(at place: String) -> MemoryError { MemoryError(code, "\(place): \(message)", cause: cause ?? self) }
}
