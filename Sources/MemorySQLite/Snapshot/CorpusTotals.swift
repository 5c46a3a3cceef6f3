import EpisodicMemory
import GRDB
import SQLiteStorage
import Synchronization

/// How many documents and tokens a corpus has, for the averages of bm25.
struct CorpusTotals: Sendable {
  struct Field: Sendable {
    var documents = 0
    var tokens: UInt64 = 0
  }

  /// Columns of full text that count in the length of a document, the first ones: not the labels of an episode.
  static let contextColumns = 2
  static let stepColumns = 4

  var contexts = Field()
  var steps = Field()
}

/// The totals of the corpora that were asked for last, each as of a change: a repeated question does not count again.
final class CorpusTotalsCache: Sendable {
  /// With more it begins again.
  private static let capacity = 256

  private struct Corpus: Hashable {
    let domain: String?
    let includesActive: Bool
  }

  private let known = Mutex<[Corpus: (asOf: Watermark, totals: CorpusTotals)]>([:])

  /// - Complexity: For all domains, in proportion to the active episodes and their steps. For a domain, in proportion to
  ///   its episodes and steps, 2 us each, on the first call after a commit.
  func totals(of request: RecallRequest, asOf watermark: Watermark, _ db: Database) throws -> CorpusTotals {
    let corpus = Corpus(domain: request.scope.onlyDomain, includesActive: request.corpusIncludesActive)
    if let found = known.withLock({ $0[corpus] }), found.asOf == watermark { return found.totals }
    let totals = try CorpusTotals(domain: corpus.domain, includesActive: corpus.includesActive, db)
    known.withLock { known in
      if known.count >= Self.capacity { known = [:] }
      known[corpus] = (watermark, totals)
    }
    return totals
  }
}

extension CorpusTotals {
  fileprivate init(domain: String?, includesActive: Bool, _ db: Database) throws {
    if let domain {
      let active = includesActive ? "" : " AND \(Conditions.isInactive)"
      contexts = try Field(counting: Self.contexts("e.domain = ?\(active)"), Self.contextColumns, [domain], db)
      steps = try Field(counting: Self.steps("e.domain = ?\(active)"), Self.stepColumns, [domain], db)
      return
    }
    contexts = try Field(allOf: Self.averagesOfContexts, Self.contextColumns, db)
    steps = try Field(allOf: Self.averagesOfSteps, Self.stepColumns, db)
    let deleted = "e.domain = \(DeletedEpisodes.domain)"
    contexts.subtract(try Field(counting: Self.contexts(deleted), Self.contextColumns, [], db))
    steps.subtract(try Field(counting: Self.steps(deleted), Self.stepColumns, [], db))
    guard !includesActive else { return }
    contexts.subtract(try Field(counting: Self.contexts("e.status = 'active'"), Self.contextColumns, [], db))
    steps.subtract(try Field(counting: Self.steps("e.status = 'active'"), Self.stepColumns, [], db))
  }

  // MARK: SQL

  static func contexts(_ condition: String) -> String {
    "SELECT d.sz FROM episodes e CROSS JOIN episodes_text_docsize d ON d.id = e.seq WHERE \(condition)"
  }

  static func steps(_ condition: String) -> String {
    """
    SELECT d.sz FROM episodes e CROSS JOIN steps s ON s.episode_id = e.id
        CROSS JOIN steps_text_docsize d ON d.id = s.seq
    WHERE \(condition)
    """
  }

  /// The lengths of all steps of some episodes, with the episode's row; argument: the rows as JSON.
  static let stepsOfRows = """
    SELECT e.seq, d.sz FROM json_each(?) r CROSS JOIN episodes e ON e.seq = r.value
        CROSS JOIN steps s ON s.episode_id = e.id CROSS JOIN steps_text_docsize d ON d.id = s.seq
    """

  /// The record in which FTS5 keeps the sums of a table: rows, then the tokens of each column.
  private static let averagesOfContexts = "SELECT block FROM episodes_text_data WHERE id = 1"
  private static let averagesOfSteps = "SELECT block FROM steps_text_data WHERE id = 1"
}

extension CorpusTotals.Field {
  /// - Parameter select: Gives the lengths of documents, each a record of FTS5 with the tokens of each column.
  fileprivate init(counting select: String, _ columns: Int, _ arguments: StatementArguments, _ db: Database) throws {
    var rows = try RawStatement(select, arguments, db)
    while try rows.step() {
      documents += 1
      tokens &+= FullTextNumbers(rows.bytes(0)).prefix(columns).reduce(0, &+)
    }
  }

  fileprivate init(allOf select: String, _ columns: Int, _ db: Database) throws {
    var rows = try RawStatement(select, db)
    guard try rows.step() else { return }
    var numbers = FullTextNumbers(rows.bytes(0))
    documents = Int(clamping: numbers.next() ?? 0)
    for count in numbers.prefix(columns) { tokens &+= count }
  }

  fileprivate mutating func subtract(_ other: Self) {
    documents = max(0, documents - other.documents)
    tokens = tokens >= other.tokens ? tokens - other.tokens : 0
  }
}

/// Numbers in the variable length of SQLite: seven bits a byte, the highest first; a ninth byte has eight.
struct FullTextNumbers: Sequence, IteratorProtocol {
  private var rest: Slice<UnsafeRawBufferPointer>

  /// - Parameter bytes: Lent.
  init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }

  mutating func next() -> UInt64? {
    guard !rest.isEmpty else { return nil }
    var number: UInt64 = 0
    for place in 0..<9 {
      guard let byte = rest.popFirst() else { break }
      if place == 8 { return number << 8 | UInt64(byte) }
      number = number << 7 | UInt64(byte & 0x7F)
      if byte < 0x80 { break }
    }
    return number
  }
}
