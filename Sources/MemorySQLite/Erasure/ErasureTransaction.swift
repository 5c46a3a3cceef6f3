import ByteCoding
import EpisodicMemory
import Foundation
import GRDB
import SQLiteStorage

/// Erases rows in the transaction of a write: the rows, what the feed says of them, and a receipt.
struct ErasureTransaction {
  private let db: Database
  private let digests: ErasureDigests
  /// Pieces of the texts that are erased, to be looked for in the file.
  private(set) var texts = ByteWindows()

  init(_ db: Database) throws {
    self.db = db
    digests = try ErasureDigests(db)
  }

  /// Finds and erases.
  ///
  /// - Parameter earlier: What a search before the transaction found.
  /// - Throws: `.notFound` if there is nothing; then nothing was written.
  mutating func perform(
    _ request: ErasureRequest, after earlier: ErasedRows, asOf watermark: Watermark
  ) throws -> ErasureReceipt {
    let search = ErasureSearch(request, db)
    var rows = try search.run(after: earlier, asOf: watermark)
    if request.patterns == .eraseWithoutEvidence {
      rows.patterns.merge(try search.patternsWithoutEvidence(but: rows)) { first, _ in first }
    }
    if case .text(let text, _) = request.selection { texts.add(whole: text) }
    let traces = try rows.traces(digests, db)
    var counts = try erase(rows)
    let before = counts.revision
    var names = FeedNames(rows, embeddings: counts.embeddingIDs, digests)
    if case .episodes(let ids) = request.selection { names.add(ids.map(\.rawValue), digests) }
    names.domain = request.scope.onlyDomain
    names.matcher = request.matcher
    counts.counts.changes = try redact(names, writtenAfter: before)
    guard !counts.counts.isEmpty else { throw Self.nothing(request) }
    let receipt = ErasureReceipt(
      id: request.id, selection: request.described(by: digests), counts: counts.counts, erasedAt: request.now)
    try insert(receipt, traces)
    try markFeed()
    return receipt
  }

  /// Erases rows that a receipt names by digest; caches and indexes of a restored copy are built from the start.
  mutating func repeatErasure(of rows: ErasedRows) throws -> ErasureReceipt.Counts {
    guard !rows.isEmpty else { return ErasureReceipt.Counts() }
    var outcome = try erase(rows)
    let names = FeedNames(rows, embeddings: outcome.embeddingIDs, digests)
    outcome.counts.changes = try redact(names, writtenAfter: outcome.revision)
    try markFeed()
    return outcome.counts
  }

  static func nothing(_ request: ErasureRequest) -> MemoryError {
    // Without the text or the name: it may be a secret, and errors are logged.
    MemoryError(.notFound, "nothing matches the selection by \(request.selection.kind); nothing was erased")
  }

  // MARK: Rows

  /// What was erased.
  struct Outcome {
    var counts = ErasureReceipt.Counts()
    var embeddingIDs: [String] = []
    /// The last one before.
    var revision: Int64 = 0
  }

  /// Counts what belongs to some rows.
  static func count(_ rows: ErasedRows, _ db: Database) throws -> ErasureReceipt.Counts {
    var counts = ErasureReceipt.Counts()
    counts.episodes = rows.episodes.count
    counts.patterns = rows.patterns.count
    counts.idempotencyKeys = rows.idempotencyKeys.count
    counts.orphans = rows.orphans.count
    func count(_ sql: String, _ ids: some Sequence<String>) throws -> Int {
      var statement = try RawStatement(sql, db)
      var sum = 0
      for id in ids {
        try id.withContiguousUTF8 { try statement.bind(text: $0) }
        if try statement.step() { sum += Int(statement.integer(0)) }
        statement.reset()
      }
      return sum
    }
    counts.steps = try count("SELECT count(*) FROM steps WHERE episode_id = ?", rows.episodes.values)
    counts.embeddings = try count("SELECT count(*) FROM embeddings WHERE episode_id = ?", rows.episodes.values)
    var links = try count("SELECT count(*) FROM episode_patterns WHERE episode_id = ?", rows.episodes.values)
    // Those of an erased pattern to an erased episode are counted once.
    let erased = Set(rows.episodes.values)
    var others = try RawStatement("SELECT episode_id FROM episode_patterns WHERE pattern_id = ?", db)
    for pattern in rows.patterns.values {
      try pattern.id.withContiguousUTF8 { try others.bind(text: $0) }
      while try others.step() { if !erased.contains(others.text(0)) { links += 1 } }
    }
    counts.links = links
    return counts
  }

  /// Deletes rows with all that belongs to them.
  mutating func erase(_ rows: ErasedRows) throws -> Outcome {
    var outcome = Outcome()
    outcome.counts = try Self.count(rows, db)
    outcome.revision = try ChangeFeed.highestRevision(db)
    try collect(rows, &outcome)
    try delete("DELETE FROM episodes WHERE seq = ?", rows.episodes.keys)
    try delete("DELETE FROM patterns WHERE seq = ?", rows.patterns.keys)
    try delete("DELETE FROM orphans_kept WHERE seq = ?", rows.orphans)
    for key in rows.idempotencyKeys {
      try db.cachedStatement(sql: "DELETE FROM idempotency_keys WHERE domain = ? AND key = ?")
        .execute(arguments: [key.domain, key.key])
    }
    guard !rows.isEmpty else { return outcome }
    // What inserts that replaced a row have set aside; and samples of indexed values, if another program ran ANALYZE.
    for table in ["episodes_replaced", "steps_replaced", "patterns_replaced", "embeddings_replaced"] {
      try db.execute(sql: "DELETE FROM \(table)")
    }
    for table in ["sqlite_stat4", "sqlite_stat3"] where try db.tableExists(table) {
      try db.execute(sql: "DELETE FROM \(table)")
    }
    return outcome
  }

  private func delete(_ sql: String, _ rows: some Collection<Int64>) throws {
    var statement = try RawStatement(sql, db)
    for row in rows.sorted() {
      try statement.bind(row)
      try statement.execute()
    }
  }

  /// Takes the texts of rows, which are to be found nowhere afterwards.
  private mutating func collect(_ rows: ErasedRows, _ outcome: inout Outcome) throws {
    let ofEpisode = [
      "SELECT id, session, context, metadata FROM episodes WHERE seq = ?",
      """
      SELECT s.id, s.action, s.result, s.tool FROM episodes e CROSS JOIN steps s ON s.episode_id = e.id WHERE e.seq = ?
      """,
    ]
    for sql in ofEpisode { try collect(sql, columns: 4, rows.episodes.keys) }
    var embeddings = try RawStatement(
      "SELECT m.id, m.content FROM episodes e CROSS JOIN embeddings m ON m.episode_id = e.id WHERE e.seq = ?", db)
    for row in rows.episodes.keys {
      try embeddings.bind(row)
      while try embeddings.step() {
        outcome.embeddingIDs.append(embeddings.text(0))
        for column in 0..<2 as Range<Int32> { texts.add(embeddings.bytes(column)) }
      }
    }
    try collect("SELECT id, pattern_data, metadata FROM patterns WHERE seq = ?", columns: 3, rows.patterns.keys)
    try collect("SELECT content FROM orphans_kept WHERE seq = ?", columns: 1, rows.orphans)
    for key in rows.idempotencyKeys { key.key.withContiguousUTF8 { texts.add($0) } }
  }

  private mutating func collect(_ sql: String, columns: Int32, _ rows: some Collection<Int64>) throws {
    var statement = try RawStatement(sql, db)
    for row in rows {
      try statement.bind(row)
      while try statement.step() {
        for column in 0..<columns { texts.add(statement.bytes(column)) }
      }
    }
  }

  // MARK: The feed

  /// Under which keys the feed names what is erased.
  private struct FeedNames {
    private var digests: [String: [String: [UInt8]]] = [:]
    private let code: ErasureDigests
    /// Only changes of this domain; `nil` for all.
    var domain: String?
    /// Changes of what is gone already, whose key has a text.
    var matcher: TextMatcher?

    init(_ rows: ErasedRows, embeddings: [String], _ code: ErasureDigests) {
      self.code = code
      add(Array(rows.episodes.values), code)
      for pattern in rows.patterns.values {
        digests["pattern", default: [:]][pattern.key] = code.bytes(Erasure.Subject.pattern.rawValue, pattern.id)
      }
      for id in embeddings { digests["embedding", default: [:]][id] = code.bytes("embedding", id) }
    }

    mutating func add(_ episodes: [String], _ code: ErasureDigests) {
      for id in episodes {
        digests["episode", default: [:]][id] = code.bytes(Erasure.Subject.episode.rawValue, id)
      }
    }

    /// - Parameter of: The domain of the change; `nil` if it has none.
    func digest(_ subject: String, _ key: UnsafeRawBufferPointer, of owner: String?) -> [UInt8]? {
      if key.isEmpty || domain != nil && domain != owner { return nil }
      let text = String(decoding: key, as: UTF8.self)
      if let digest = digests[subject]?[text] { return digest }
      guard let matcher, matcher.isFound(in: key) else { return nil }
      return code.bytes(subject, text)
    }
  }

  /// Puts digests in the place of keys, in all changes: those of the deletions and older ones. Of these only the deletions
  /// are told to watchers.
  ///
  /// - Returns: Changes of before.
  private func redact(_ names: FeedNames, writtenAfter before: Int64) throws -> Int {
    var found: [(revision: Int64, digest: [UInt8], isTold: Bool, hidesDomain: Bool)] = []
    var rows = try RawStatement("SELECT revision, subject, key, domain, kind, step FROM changes", db)
    while try rows.step() {
      let domain = rows.isNull(3) ? nil : rows.text(3)
      let subject = rows.text(1)
      guard let digest = names.digest(subject, rows.bytes(2), of: domain) else { continue }
      let isDeletion =
        rows.text(4) == "delete" && subject != "embedding"
        && (subject == "pattern" || !rows.isNull(5) && rows.integer(5) == Change.allSteps)
      found.append(
        (
          rows.integer(0), digest, isDeletion && rows.integer(0) > before,
          names.matcher.map { matcher in domain.map { matcher.isFound(in: $0) } ?? false } ?? false
        ))
    }
    var update = try RawStatement(
      """
      UPDATE changes SET key = '', erased = ?, kind = iif(?, kind, 'implied'), domain = iif(?, NULL, domain)
      WHERE revision = ?
      """, db)
    for change in found {
      try change.digest.withUnsafeBytes { try update.bind($0) }
      try update.bind(change.isTold ? 1 : 0 as Int64)
      try update.bind(change.hidesDomain ? 1 : 0 as Int64)
      try update.bind(change.revision)
      try update.execute()
    }
    return found.count { $0.revision <= before }
  }

  /// A change of an episode without a domain: whatever a cache holds may be of it, so that it removes all that it has before
  /// it answers anything (I3). Indexes go by rows, which the feed still has.
  private func markFeed() throws {
    try db.execute(sql: "INSERT INTO changes (subject, key, kind, row) VALUES ('episode', '', 'implied', 0)")
  }

  // MARK: The receipt

  private func insert(_ receipt: ErasureReceipt, _ traces: [Erasure.Trace]) throws {
    try ErasureRow.insert(receipt, traces, isCleaned: false, db)
  }
}

extension ErasureRequest {
  /// By what the rows are chosen; names and texts as digests.
  func described(by digests: ErasureDigests) -> ErasureReceipt.Selection {
    let kind = selection.kind
    var values: [String] = []
    var range: Range<Timestamp>?
    switch selection {
    case .episodes(let ids): values = ids.map(\.rawValue)
    case .session(let name), .domain(let name), .text(let name, _): values = [name]
    case .created(let times): range = times
    case .metadata(let path, let value):
      values = [JSON.array([.array(path.map(JSON.string)), value]).canonicalText]
    case .everything: break
    }
    // Of an episode the digest under which it is erased.
    let kindOfDigest = kind == "episodes" ? Erasure.Subject.episode.rawValue : kind
    return ErasureReceipt.Selection(
      kind: kind, values: values.map { digests.digest(kindOfDigest, $0) }.sorted { $0.rawValue < $1.rawValue },
      from: range?.lowerBound, to: range?.upperBound, domain: scope.onlyDomain.map { digests.digest("domain", $0) })
  }
}

extension Erasure.Selection {
  /// For receipts and messages.
  var kind: String {
    switch self {
    case .episodes: "episodes"
    case .session: "session"
    case .domain: "domain"
    case .created: "created"
    case .metadata: "metadata"
    case .text: "text"
    case .everything: "everything"
    }
  }
}
