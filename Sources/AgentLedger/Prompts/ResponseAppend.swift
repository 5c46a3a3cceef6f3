import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// A request to append parts to a response that streams.
struct ResponseAppend: Sendable {
  let parts: [String]
  let prompt: Ledger.Prompt.ID

  /// Requests that share a commit share INSERT statements too.
  static func batch(_ database: LedgerDatabase) -> BatchedWrite<ResponseAppend, Void> {
    let most = database.limits.promptBytes
    return database.batch { appends, db, now in
      var responses: [Ledger.Prompt.ID: StreamingResponse] = [:]
      var rows: [StreamingResponse.Part] = []
      let results = try appends.map { append in
        do {
          var response = try responses[append.prompt] ?? StreamingResponse(to: append.prompt, db)
          rows += try response.parts(append.parts, most: most)
          responses[append.prompt] = response
          return Result<Void, any Error>.success(())
        } catch let error as MemoryError where error.code != .corrupted {
          return .failure(error)
        }
      }
      try StreamingResponse.insert(rows, db)
      var runs: [Ledger.Run.ID: RunProgress] = [:]
      for run in Set(responses.values.map(\.run)) { runs[run] = try RunProgress(of: run, db) }
      for run in runs.keys { try runs[run]?.noteHeartbeat(at: now, db) }
      return results
    }
  }
}

/// A response of which parts are stored.
struct StreamingResponse {
  struct Part: Sendable {
    let prompt: Int64
    let number: Int64
    let text: String
    /// Of the response with this part.
    let bytes: Int64
  }

  let run: Ledger.Run.ID
  private let prompt: Int64
  private var number: Int64
  private var bytes: Int64

  /// - Throws: `.notFound`; `.conflict` if it does not stream.
  init(to id: Ledger.Prompt.ID, _ db: Database) throws {
    guard let row = try Row.fetchOne(db.cachedStatement(sql: Self.ofPrompt), arguments: [id.rawValue]) else {
      throw MemoryError.noPrompt(id)
    }
    let status: Ledger.Prompt.Status = try row.closed(1)
    guard status == .streaming else {
      let remedy = status == .pending ? "begin the response first, with beginResponse(to:)" : "add another prompt"
      throw MemoryError(.conflict, "prompt \"\(id)\" is \(status.rawValue), so nothing is appended to it; \(remedy)")
    }
    (prompt, run) = (try row.value(0), try row.id(2))
    let last = try Row.fetchOne(db.cachedStatement(sql: Self.lastPart), arguments: [prompt])
    (number, bytes) = (try last?.value(0) ?? 0, try last?.value(1) ?? 0)
  }

  private static let ofPrompt = "SELECT seq, status, run_id FROM prompts WHERE id = ?"
  static let lastPart = "SELECT number, bytes FROM response_parts WHERE prompt = ? ORDER BY number DESC LIMIT 1"

  /// - Throws: `.limitExceeded` if the response becomes too long.
  mutating func parts(_ texts: [String], most: Int) throws(MemoryError) -> [Part] {
    var parts: [Part] = []
    for text in texts where !text.isEmpty {
      let (sum, overflow) = bytes.addingReportingOverflow(Int64(text.utf8.count))
      guard !overflow, sum <= most else {
        throw MemoryError(
          .limitExceeded,
          "the response has \(bytes) bytes, and \(text.utf8.count) come to it; end it at \(most) or raise limits.promptBytes"
        )
      }
      (bytes, number) = (sum, number + 1)
      parts.append(Part(prompt: prompt, number: number, text: text, bytes: bytes))
    }
    return parts
  }

  private static let insertion = RowInsert(into: "response_parts", "prompt, number, text, bytes")

  static func insert(_ parts: [Part], _ db: Database) throws {
    try insertion(parts, db) { part, row in
      try row.bind(part.prompt)
      try row.bind(part.number)
      try row.bind(part.text)
      try row.bind(part.bytes)
    }
  }

  /// What has come of a response: whole if it has ended; `nil` if none has begun.
  static func text(of id: Ledger.Prompt.ID, _ db: Database) throws -> String? {
    let statement = try db.cachedStatement(sql: "SELECT seq, status, response FROM prompts WHERE id = ?")
    guard let row = try Row.fetchOne(statement, arguments: [id.rawValue]) else { throw MemoryError.noPrompt(id) }
    let (seq, status): (Int64, Ledger.Prompt.Status) = (try row.value(0), try row.closed(1))
    guard status == .streaming else { return try row.value(2) }
    return try String.fetchAll(db.cachedStatement(sql: parts), arguments: [seq]).joined()
  }

  static let parts = "SELECT text FROM response_parts WHERE prompt = ? ORDER BY number"
}
