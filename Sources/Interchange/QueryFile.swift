public import EpisodicMemory
public import struct Foundation.TimeZone

/// Which signals a recall uses.
public enum RecallMode: String, CaseIterable, Sendable {
  /// Words, and the vector if there is one.
  case hybrid
  /// Words alone.
  case text
  /// The vector alone.
  case vector
}

/// How to answer a file of queries.
public struct QueriesOptions: Hashable, Sendable {
  /// Which signals are used.
  public var mode: RecallMode
  /// Hits of each query, 1...1,000.
  public var limit: Int
  /// Whether bad lines are left out and the rest is answered; otherwise no query runs if one line is bad.
  public var keepGoing: Bool
  /// How the signals become one score.
  public var ranking: Query.Ranking
  /// As `Query.askedAt`, for the lines that do not say when the question is asked.
  public var askedAt: Timestamp?
  /// As `Query.timeZone`.
  public var timeZone: TimeZone

  /// The defaults: both signals, ten hits, no query runs if a line is bad, and days begin at midnight UTC.
  public init(
    mode: RecallMode = .hybrid, limit: Int = 10, keepGoing: Bool = false, ranking: Query.Ranking = .init(),
    askedAt: Timestamp? = nil, timeZone: TimeZone = .gmt
  ) {
    self.mode = mode
    self.limit = limit
    self.keepGoing = keepGoing
    self.ranking = ranking
    self.askedAt = askedAt
    self.timeZone = timeZone
  }
}

/// The result of answering a file of queries.
public struct QueriesReport: Hashable, Sendable {
  /// Lines of results.
  public internal(set) var answered = 0
  /// Of those, the lines without results because the query has no word and no vector.
  public internal(set) var empty: [RejectedLine] = []
  /// In the order of the file; empty unless `QueriesOptions.keepGoing`.
  public internal(set) var rejected: [RejectedLine] = []
}

/// The queries of a file, parsed and validated, each with its vector.
struct QueryFile {
  struct Entry {
    let file: String
    let line: Int
    let id: String
    let query: Query

    func rejected(_ reason: String) -> RejectedLine { RejectedLine(file: file, line: line, reason: reason) }
  }

  private(set) var entries: [Entry] = []
  private(set) var rejected: [RejectedLine] = []

  /// Reads the whole file, so that no query runs if a line is bad.
  ///
  /// - Throws: `.invalid`, naming file, line, field, value and remedy.
  init(
    _ file: InputFile, vectors source: VectorSource?, options: QueriesOptions, limits: Memory.Limits
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
          text: options.mode == .vector ? nil : read.text, scope: read.scope, filter: read.filter, limit: options.limit,
          ranking: options.ranking, askedAt: read.askedAt ?? options.askedAt, timeZone: options.timeZone)
        if let source, let vectors {
          query.vector = try vectors.row(row)
          query.space = source.space
        }
        entries.append(Entry(file: line.file, line: line.number, id: read.id, query: query))
      } catch let error where options.keepGoing && error.code.isOfInput {
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

  /// The lines up to the first bad one; all of them if `keepGoing`.
  private static func lines(of input: OpenInput, keepGoing: Bool) throws(MemoryError) -> [Line] {
    var reader = LineReader(input)
    var lines: [Line] = []
    while true {
      do throws(MemoryError) {
        guard let line = try reader.next() else { return lines }
        lines.append(Line(file: input.name, number: line.number, content: .success(try QueryLine(line.bytes))))
      } catch let error where keepGoing && error.code.isOfInput {
        lines.append(Line(file: input.name, number: reader.number, content: .failure(error)))
      } catch {
        throw error.located(at: "\(input.name):\(reader.number)")
      }
    }
  }
}

extension MemoryError {
  /// The error with a place such as `queries.jsonl:12` before its message.
  func located(at place: String) -> MemoryError { MemoryError(code, "\(place): \(message)", cause: cause ?? self) }
}
