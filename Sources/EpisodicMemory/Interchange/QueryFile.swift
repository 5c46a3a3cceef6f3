/// The queries of a file, each with its vector, ready to be asked.
struct QueryFile {
  struct Entry {
    let file: String
    let line: Int
    let id: String
    let query: Query

    var place: String { "\(file):\(line)" }
  }

  private(set) var entries: [Entry] = []
  private(set) var rejected: [RejectedLine] = []

  /// Reads all of it, so that nothing is asked where a line is bad.
  ///
  /// - Throws: `.invalid`, naming file, line, field, value and remedy.
  init(
    _ file: InputFile, vectors source: VectorSource?, options: QueriesOptions, limits: Limits
  ) throws(MemoryError) {
    guard source != nil || options.mode != .vector else {
      throw MemoryError(.invalid, "recall by vector needs the vectors of the queries; name their file")
    }
    guard source?.file != .standardInput || file != .standardInput else {
      throw MemoryError(.invalid, "standard input is named twice; it can be read once")
    }
    let lines = try Self.lines(of: try OpenInput(file), keepGoing: options.keepGoing)
    var vectors: VectorFile?
    if let source, options.mode != .text {
      vectors = try VectorFile(source, limits: limits)
      try vectors?.require(rows: lines.count, for: "queries")
    }
    for (row, line) in lines.enumerated() {
      do throws(MemoryError) {
        let read = try line.content.get()
        var query = Query(
          text: options.mode == .vector ? nil : read.text, scope: read.scope, filter: read.filter, limit: options.limit)
        if let source, let vectors {
          query.vector = try vectors.row(row)
          query.space = source.space
        }
        entries.append(Entry(file: line.file, line: line.number, id: read.id, query: query))
      } catch let error where options.keepGoing && error.code == .invalid {
        rejected.append(RejectedLine(file: line.file, line: line.number, reason: error.message))
      } catch {
        throw error.located(at: "\(line.file):\(line.number)")
      }
    }
  }

  private struct Line {
    let file: String
    let number: Int
    let content: Result<QueryLine, MemoryError>
  }

  /// The lines up to the first bad one, or all of them.
  private static func lines(of input: OpenInput, keepGoing: Bool) throws(MemoryError) -> [Line] {
    var reader = LineReader(input)
    var lines: [Line] = []
    while true {
      do throws(MemoryError) {
        guard let line = try reader.next() else { return lines }
        lines.append(Line(file: input.name, number: line.number, content: .success(try QueryLine(line.bytes))))
      } catch let error where keepGoing && error.code == .invalid {
        lines.append(Line(file: input.name, number: reader.number, content: .failure(error)))
      } catch {
        throw error.located(at: "\(input.name):\(reader.number)")
      }
    }
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
