import ByteCoding
import EpisodicMemory
import Foundation
import GRDB
import SQLiteStorage
import StoreRows

/// Erases rows in the transaction of a write: the rows, what the feed says of them, and a receipt.
struct ErasureTransaction {
  private let db: Database
  private let digests: ErasureDigests
  private let audit: AuditLog?
  /// Pieces of the texts that are erased, to be looked for in the file.
  private(set) var texts = ByteWindows()

  /// - Parameter audit: `nil` if nothing is recorded.
  init(_ db: Database, _ audit: AuditLog?) throws {
    self.db = db
    self.audit = audit
    digests = try ErasureDigests(db)
  }

  /// Finds and erases.
  ///
  /// - Parameter earlier: What a search before the transaction found.
  /// - Throws: `.notFound` if there is nothing, and no copy has it; then nothing was written.
  mutating func perform(
    _ request: ErasureRequest, after earlier: ErasedRows, asOf watermark: Watermark
  ) throws -> ErasureReceipt {
    let search = ErasureSearch(request, db)
    var rows = try search.run(after: earlier, asOf: watermark)
    if request.patterns == .eraseWithoutEvidence {
      rows.patterns.merge(try search.patternsWithoutEvidence(but: rows)) { first, _ in first }
    }
    switch request.selection {
    case .text(let text, _): texts.add(whole: text)
    case .domain(let name): texts.add(whole: name)
    default: break
    }
    var traces = try rows.traces(digests, db)
    try noteRemoval(of: rows, AuditVerb.forget)
    var outcome = try erase(rows, AuditVerb.forget, in: request.scope)
    var names = FeedNames(rows, embeddings: outcome.embeddingIDs, digests)
    if case .episodes(let ids) = request.selection { names.add(episodes: ids.map(\.rawValue)) }
    names.domain = request.scope.onlyDomain
    let hidesDomain = request.hidesDomain
    names.hidesDomain = hidesDomain
    if let matcher = request.matcher { names.namesKey = { _, key, _ in matcher.isFound(in: key) } }
    if case .everything = request.selection { names.namesKey = { _, _, _ in true } }
    let redacted = try redact(names, writtenAfter: outcome.revision)
    outcome.counts.changes = redacted.changes
    let policies = try erasePolicies { name, _ in hidesDomain(name) }
    guard !outcome.counts.isEmpty || policies > 0 || request.isInCopies else { throw Self.nothing(request) }
    let gone = try tracesOfGone(redacted.episodes, request)
    traces += gone
    // What their rows had is not known any more.
    if !gone.isEmpty, request.selection.textsOfGone == nil { texts.addUnknown() }
    let receipt = ErasureReceipt(
      id: request.id, selection: request.described(by: digests), counts: outcome.counts, erasedAt: request.now,
      backups: request.copies.map(\.name))
    try ErasureRow.insert(receipt, traces, isCleaned: false, db)
    try markFeed()
    // In the domain to which the erasure was restricted, the rows are counted with their removal.
    audit?.note(
      AuditVerb.forget, in: request.scope.onlyDomain,
      request.scope.onlyDomain == nil ? outcome.counts.audited : outcome.counts.auditedBesides)
    return receipt
  }

  /// Records of which domain what was that goes: each with a record of its own, so that a domain is told of its rows alone (I8).
  private func noteRemoval(of rows: ErasedRows, _ verb: String) throws {
    guard let audit else { return }
    var episodes = try RawStatement("SELECT domain FROM episodes WHERE seq = ?", db)
    for (row, id) in rows.episodes.sorted(by: { $0.key < $1.key }) {
      try episodes.bind(row)
      guard try episodes.step() else { continue }
      audit.noteRemoved(.episode, id, verb, in: episodes.text(0))
      episodes.reset()
    }
    var patterns = try RawStatement("SELECT domain FROM patterns WHERE seq = ?", db)
    for (row, name) in rows.patterns.sorted(by: { $0.key < $1.key }) {
      try patterns.bind(row)
      guard try patterns.step() else { continue }
      let domain = patterns.text(0)
      audit.noteRemoved(.pattern, name.id, verb, in: domain.isEmpty ? nil : domain, counts: !domain.isEmpty)
      patterns.reset()
    }
  }

  /// Erases rows that receipts name by digest; caches and indexes of a restored copy are built from the start.
  mutating func repeatErasure(of rows: ErasedRows, named matcher: ReceiptMatcher) throws -> ErasureReceipt.Counts {
    try noteRemoval(of: rows, AuditVerb.repeatErasure)
    var outcome = try erase(rows, AuditVerb.repeatErasure)
    var names = FeedNames(rows, embeddings: outcome.embeddingIDs, digests)
    names.hidesDomain = { matcher.isErased(domain: $0) }
    names.namesKey = { subject, key, domain in subject == "episode" && matcher.isNamed(episode: key, in: domain) }
    outcome.counts.changes = try redact(names, writtenAfter: outcome.revision).changes
    _ = try erasePolicies { name, changedAt in matcher.isErased(domain: name, changedAt: changedAt) }
    try markFeed()
    audit?.note(AuditVerb.repeatErasure, in: nil, outcome.counts.audited)
    return outcome.counts
  }

  /// Of what is gone already: its id stands in the feed, or a copy has it.
  ///
  /// - Parameter episodes: Ids that the feed had.
  private func tracesOfGone(_ episodes: Set<String>, _ request: ErasureRequest) throws -> [Erasure.Trace] {
    var gone = Set(request.copies.flatMap(\.found))
    // Of other selections the receipt says by what an older copy finds the same.
    if ["episodes", "text"].contains(request.selection.kind) {
      gone.formUnion(episodes.map { ErasedName(.episode, $0) })
    }
    return try gone.filter { name in
      switch name.subject {
      case .episode:
        try Bool.fetchOne(db, sql: "SELECT NOT EXISTS (SELECT 1 FROM episodes WHERE id = ?)", arguments: [name.name])
          ?? false
      case .pattern:
        try Bool.fetchOne(db, sql: "SELECT NOT EXISTS (SELECT 1 FROM patterns WHERE id = ?)", arguments: [name.name])
          ?? false
      // What is still there was not erased; of a key and of a row without an owner nothing else is known.
      case .idempotencyKey, .orphan: true
      }
    }.map { digests.trace($0.subject, $0.name) }
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
  ///
  /// - Parameter scope: Outside of it no row is changed.
  private mutating func erase(
    _ rows: ErasedRows, _ verb: String, in scope: Query.Scope = .everything
  ) throws -> Outcome {
    var outcome = Outcome()
    outcome.counts = try Self.count(rows, db)
    outcome.revision = try ChangeFeed.highestRevision(db)
    try collect(rows, &outcome)
    let learned = try patterns(of: rows.episodes.values)
    try forgetParents(rows.episodes, verb, in: scope)
    try delete("DELETE FROM episodes WHERE seq = ?", rows.episodes.keys)
    try delete("DELETE FROM patterns WHERE seq = ?", rows.patterns.keys)
    try delete("DELETE FROM orphans_kept WHERE seq = ?", rows.orphans)
    for key in rows.idempotencyKeys {
      try db.cachedStatement(sql: "DELETE FROM idempotency_keys WHERE domain = ? AND key = ?")
        .execute(arguments: [key.domain, key.key])
    }
    for episode in rows.episodes.values {
      try db.cachedStatement(sql: "DELETE FROM consolidated_runs WHERE run_id = ?").execute(arguments: [episode])
    }
    try TrustRow.recompute(patterns: learned, db)
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

  private func patterns(of episodes: some Collection<String>) throws -> Set<String> {
    let statement = try db.cachedStatement(sql: "SELECT pattern_id FROM episode_patterns WHERE episode_id = ?")
    return try episodes.reduce(into: []) { found, id in
      found.formUnion(try String.fetchAll(statement, arguments: [id]))
    }
  }

  /// Takes the ids of erased episodes out of those that were derived from them and stay.
  ///
  /// From within a domain, those of another keep the id: they would be told that it was erased (I8).
  private func forgetParents(_ erased: [Int64: String], _ verb: String, in scope: Query.Scope) throws {
    let children = try db.cachedStatement(
      sql: """
        SELECT e.seq, e.id FROM episode_parents p JOIN episodes e ON e.id = p.child_id
        WHERE p.parent_id = ?1 AND (?2 IS NULL OR e.domain = ?2)
        """)
    var changed: Set<String> = []
    for id in erased.values {
      for row in try Row.fetchAll(children, arguments: [id, scope.onlyDomain]) where erased[try row.value(0)] == nil {
        let child: String = try row.value(1)
        changed.insert(child)
        try db.cachedStatement(
          sql: """
            UPDATE episodes SET derived_from = (SELECT nullif(json_group_array(value), '[]') FROM json_each(derived_from)
                WHERE value <> ?1) WHERE id = ?2
            """
        ).execute(arguments: [id, child])
      }
    }
    for child in changed.sorted() {
      try audit?.noteChanged(Episode.ID(composed: child), verb, counts: false, db)
    }
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
      "SELECT id, session, context, metadata, source_id, actor, derived_from, sealed FROM episodes WHERE seq = ?",
      """
      SELECT s.id, s.action, s.result, s.tool, s.source_id, s.actor, NULL, s.sealed FROM episodes e CROSS JOIN steps s ON s.episode_id = e.id WHERE e.seq = ?
      """,
    ]
    for sql in ofEpisode { try collect(sql, columns: 8, rows.episodes.keys) }
    try collect(
      "SELECT t.trace FROM episodes e CROSS JOIN run_traces t ON t.episode_id = e.id WHERE e.seq = ?", columns: 1,
      rows.episodes.keys)
    try collect(
      """
      SELECT d.actor, d.reason FROM episodes e CROSS JOIN trust_decisions d
      ON d.episode_id = e.id OR d.step_id IN (SELECT id FROM steps WHERE episode_id = e.id) WHERE e.seq = ?
      """, columns: 2, rows.episodes.keys)
    var embeddings = try RawStatement(
      "SELECT m.id, m.content, m.sealed FROM episodes e CROSS JOIN embeddings m ON m.episode_id = e.id WHERE e.seq = ?",
      db)
    for row in rows.episodes.keys {
      try embeddings.bind(row)
      while try embeddings.step() {
        outcome.embeddingIDs.append(embeddings.text(0))
        for column in 0..<3 as Range<Int32> { texts.add(embeddings.bytes(column)) }
      }
    }
    try collect("SELECT id, pattern_data, metadata, sealed FROM patterns WHERE seq = ?", columns: 4, rows.patterns.keys)
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

  /// Puts digests in the place of keys and of names of domains, in all changes: those of the deletions and older ones. Of these
  /// only the deletions are told to watchers.
  ///
  /// - Returns: How many changes of before, and the episodes that they named.
  private func redact(
    _ names: FeedNames, writtenAfter before: Int64
  ) throws -> (changes: Int, episodes: Set<String>) {
    // Without a digest the key stays: it is empty already, or of something else.
    var found: [(revision: Int64, digest: [UInt8]?, isTold: Bool, domain: String?)] = []
    var episodes: Set<String> = []
    var rows = try RawStatement("SELECT revision, subject, key, domain, kind, step FROM changes", db)
    while try rows.step() {
      let domain = rows.isNull(3) ? nil : rows.text(3)
      let hidden = names.hidden(domain)
      let subject = rows.text(1)
      let digest = names.digest(subject, rows.bytes(2), of: domain)
      guard digest != nil || hidden != domain else { continue }
      let revision = rows.integer(0)
      if digest != nil, revision <= before, subject == "episode" { episodes.insert(rows.text(2)) }
      let isDeletion =
        rows.text(4) == "delete" && subject != "embedding"
        && (subject == "pattern" || !rows.isNull(5) && rows.integer(5) == Change.allSteps)
      found.append((revision, digest, isDeletion && revision > before, hidden))
    }
    var keys = try RawStatement(
      "UPDATE changes SET key = '', erased = ?, kind = iif(?, kind, 'implied'), domain = ? WHERE revision = ?", db)
    var domains = try RawStatement("UPDATE changes SET domain = ? WHERE revision = ?", db)
    for change in found {
      if let digest = change.digest {
        try digest.withUnsafeBytes { try keys.bind($0) }
        try keys.bind(change.isTold ? 1 : 0 as Int64)
        try keys.bind(change.domain)
        try keys.bind(change.revision)
        try keys.execute()
      } else {
        try domains.bind(change.domain)
        try domains.bind(change.revision)
        try domains.execute()
      }
    }
    return (found.count { $0.digest != nil && $0.revision <= before }, episodes)
  }

  /// A change of an episode without a domain: whatever a cache holds may be of it, so that it removes all that it has before
  /// it answers anything (I3). Indexes go by rows, which the feed still has.
  private func markFeed() throws {
    try db.execute(sql: "INSERT INTO changes (subject, key, kind, row) VALUES ('episode', '', 'implied', 0)")
  }

  // MARK: Settings

  /// Takes the policies of retention of erased domains away, whose names they have.
  ///
  /// - Returns: How many there were.
  private mutating func erasePolicies(_ isErased: (_ domain: String, _ changedAt: Timestamp) -> Bool) throws -> Int {
    let row = try Row.fetchOne(
      db, sql: "SELECT value, changed_at FROM settings WHERE name = ?", arguments: [RetentionPolicies.setting])
    // One that another program made unreadable is not ours to mend.
    guard let row, var members = try? JSON(text: row.value(0)).members, let domains = members["domains"]?.members
    else { return 0 }
    let changedAt = Timestamp(milliseconds: try row.value(1))
    let kept = domains.filter { !isErased($0.name, changedAt) }
    guard kept.count < domains.count else { return 0 }
    for domain in domains where isErased(domain.name, changedAt) { texts.add(whole: domain.name) }
    members["domains"] = .object(JSON.Object(kept.map { ($0.name, $0.value) }))
    let isLast = kept.isEmpty && members["standard"] == nil
    try Setting.set(RetentionPolicies.setting, to: isLast ? nil : .object(members), at: changedAt, db)
    return domains.count - kept.count
  }
}

extension ErasureReceipt.Counts {
  /// As a record of the audit has them.
  fileprivate var audited: [String: Int] {
    var counts = auditedBesides
    (counts["episodes"], counts["patterns"]) = (episodes, patterns)
    return counts
  }

  /// Without episodes and patterns.
  fileprivate var auditedBesides: [String: Int] {
    [
      "steps": steps, "vectors": embeddings, "links": links, "idempotency_keys": idempotencyKeys, "orphans": orphans,
      "changes": changes,
    ]
  }
}

extension ErasureRequest {
  /// Tells the domains whose own names are erased.
  var hidesDomain: @Sendable (String) -> Bool {
    let only = scope.onlyDomain
    switch selection {
    case .domain(let wanted): return { $0 == wanted && (only == nil || $0 == only) }
    case .everything: return { only == nil || $0 == only }
    case .text:
      let matcher = matcher
      return { name in (only == nil || name == only) && matcher?.isFound(in: name) ?? false }
    case .episodes, .session, .created, .metadata, .source: return { _ in false }
    }
  }

  /// By what the rows are chosen; names and texts as digests.
  func described(by digests: ErasureDigests) -> ErasureReceipt.Selection {
    let kind = selection.kind
    var values: [String] = []
    var range: Range<Timestamp>?
    switch selection {
    case .episodes(let ids): values = ids.map(\.rawValue)
    case .session(let name), .domain(let name), .text(let name, _): values = [name]
    case .created(let times): range = times
    case .source(let source, let since):
      values = [source]
      range = since.map { $0..<Timestamp.accepted.upperBound }
    case .metadata(let path, let value):
      values = [ErasureDigests.name(ofMetadata: value, at: path)]
    case .everything: break
    }
    // Of an episode the digest under which it is erased.
    let kindOfDigest = kind == "episodes" ? Erasure.Subject.episode.rawValue : kind
    return ErasureReceipt.Selection(
      kind: kind, values: values.map { digests.digest(kindOfDigest, $0) }.sorted { $0.rawValue < $1.rawValue },
      from: range?.lowerBound, to: range?.upperBound, domain: scope.onlyDomain.map { digests.digest("domain", $0) },
      patterns: patterns)
  }
}

extension Erasure.Selection {
  /// What is to be found nowhere of rows that this selected, and that were deleted or changed before; `nil` if that is not known.
  var textsOfGone: ByteWindows? {
    // Other texts have several forms. One that is shorter is not looked for.
    guard case .text(let text, ignoringCase: false) = self, text.utf8.count >= 4,
      text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
    else { return nil }
    var texts = ByteWindows()
    texts.add(whole: text)
    return texts
  }

  /// For receipts and messages.
  var kind: String {
    switch self {
    case .episodes: "episodes"
    case .session: "session"
    case .domain: "domain"
    case .created: "created"
    case .metadata: "metadata"
    case .source: "source"
    case .text: "text"
    case .everything: "everything"
    }
  }
}
