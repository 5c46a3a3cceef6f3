import EpisodicMemory
import Foundation
import GRDB
import StoreRows

/// The table `idempotency_keys`: requests that were answered, by domain and key.
enum IdempotencyKeys {
  /// How long a key is kept at least, in milliseconds: 7 days.
  static let lifetime: Int64 = 7 * 24 * 3600 * 1000
  /// Keys deleted in one round of maintenance: a few milliseconds.
  static let prunedAtOnce = 10_000

  /// What the first answer had beyond the request.
  struct Answer {
    let episode: Episode.ID
    let createdAt: Timestamp
    let steps: [StepAnswer]
  }

  struct StepAnswer {
    let id: Step.ID
    let number: Int
    let timestamp: Timestamp
  }

  /// The first answer to a request; `nil` if its key is new in the domain.
  ///
  /// - Throws: `.conflict` if the key was used for another request; `.notFound` if the episode was deleted since.
  static func answer(to request: IdempotentRequest, in domain: String, _ db: Database) throws -> Answer? {
    let statement = try db.cachedStatement(
      sql: "SELECT verb, digest, episode_id, answer, created_at FROM idempotency_keys WHERE domain = ? AND key = ?")
    guard let row = try Row.fetchOne(statement, arguments: [domain, request.key]) else { return nil }
    let digest: [UInt8]? = try row.withUnsafeData(atIndex: 1) { $0.map { [UInt8]($0) } }
    let episode = Episode.ID(composed: try row.value(2))
    guard let digest else {
      throw MemoryError(
        .notFound,
        "the episode \"\(episode)\" was deleted, replaced or moved since the request with the idempotency key "
          + "\"\(request.key)\"; look at it before the request is made again with another key")
    }
    guard try row.value(0) as String == request.verb.rawValue, digest == (try stored(request, domain, db)) else {
      throw MemoryError(
        .conflict, "the idempotency key \"\(request.key)\" was used for another request; use a key for each request")
    }
    return Answer(
      episode: episode, createdAt: Timestamp(milliseconds: try row.value(4)),
      steps: try steps(in: JSON(text: try row.value(3)), request.key))
  }

  static func insert(
    _ request: IdempotentRequest, _ domain: String, _ episode: Episode.ID, steps: [Step] = [], at now: Timestamp,
    _ db: Database
  ) throws {
    let answer = JSON.array(
      steps.map {
        [.string($0.id.rawValue), .integer(Int64($0.number)), .integer($0.timestamp.milliseconds)]
      })
    try db.cachedStatement(
      sql: """
        INSERT INTO idempotency_keys (domain, key, verb, digest, episode_id, answer, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      domain, request.key, request.verb.rawValue, Data(try stored(request, domain, db)), episode.rawValue,
      answer.canonicalText,
      now.milliseconds,
    ])
  }

  /// The digest of a request as the table has it: in an encrypted domain it cannot be tried without the key.
  private static func stored(_ request: IdempotentRequest, _ domain: String, _ db: Database) throws -> [UInt8] {
    guard let cipher = try KeySession.cipher(for: domain, db) else { return request.digest }
    return cipher.digest("request", request.digest)
  }

  private static func steps(in answer: JSON, _ key: String) throws -> [StepAnswer] {
    let damaged = MemoryError(.corrupted, "the answer of the idempotency key \"\(key)\" is damaged; restore a backup")
    guard case .array(let elements) = answer else { throw damaged }
    return try elements.map { element in
      guard case .array(let parts) = element, parts.count == 3, case .string(let id) = parts[0],
        case .integer(let number) = parts[1], case .integer(let time) = parts[2], let number = Int(exactly: number)
      else { throw damaged }
      return StepAnswer(id: Step.ID(composed: id), number: number, timestamp: Timestamp(milliseconds: time))
    }
  }

  // MARK: Maintenance

  static let isDue = "SELECT EXISTS (SELECT 1 FROM idempotency_keys WHERE created_at < ?)"
  static let pruning = """
    DELETE FROM idempotency_keys WHERE (domain, key) IN (
        SELECT domain, key FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ?)
    """

  /// Deletes keys that are older than `lifetime`, oldest first; none by a clock that is not believed.
  ///
  /// - Returns: How many.
  @discardableResult
  static func prune(_ db: Database, at now: Timestamp, limit: Int = prunedAtOnce) throws -> Int {
    let (oldest, overflow) = now.milliseconds.subtractingReportingOverflow(lifetime)
    guard !overflow, try Bool.fetchOne(db.cachedStatement(sql: isDue), arguments: [oldest]) == true,
      try StoreClock.look(at: now, db).isBelieved(forAge: .milliseconds(lifetime))
    else { return 0 }
    try db.execute(sql: pruning, arguments: [oldest, limit])
    return db.changesCount
  }
}
