import Episodic
import Foundation
import GRDB
import TestSupport
import Testing

private func failure(_ body: () async throws -> Void) async -> MemoryError? {
  do { try await body() } catch { return error as? MemoryError }
  return nil
}

/// A store that is audited, and the `sqlite3` shell of somebody who may write its file.
struct AuditedStore {
  let directory: TemporaryDirectory
  var path: String { directory.file("store") }
  let clock = ManualClock()

  init() throws { directory = try TemporaryDirectory() }

  func options(_ audit: Auditing = .on(actor: "alice")) -> Memory.OpenOptions {
    var options = Memory.OpenOptions()
    options.audit = audit
    options.clock = clock
    options.durability = .normal
    options.cache.isEnabled = false
    options.index.isEnabled = false
    return options
  }

  func open(_ audit: Auditing = .on(actor: "alice")) async throws -> Memory {
    try await Memory.open(at: path, options: options(audit))
  }

  /// Opens, calls `body`, closes.
  @discardableResult
  func with<Value>(
    _ audit: Auditing = .on(actor: "alice"), _ body: (Memory) async throws -> Value
  ) async throws -> Value {
    let memory = try await open(audit)
    let value = try await body(memory)
    try await memory.close()
    return value
  }

  /// Runs SQL without the triggers of the audit, as somebody who drops them does.
  func shell(_ script: String) throws {
    let database = try DatabaseQueue(path: path + "/memory.sqlite")
    try database.writeWithoutTransaction { db in
      let triggers = try Row.fetchAll(
        db, sql: "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'audit_*'")
      try #require(triggers.count == 2)
      for trigger in triggers { try db.execute(sql: "DROP TRIGGER \(trigger[0] as String)") }
      try db.execute(sql: script)
      for trigger in triggers { try db.execute(sql: trigger[1] as String) }
    }
    try database.close()
  }

  /// Every verb that writes, once.
  func fill(_ memory: Memory, domain: String = "web", prefix: String = "") async throws {
    let id = Episode.ID("\(prefix)begun")
    _ = try await memory.begin(.init(.debugging, domain: domain, context: "the login fails", id: id))
    try await memory.append(.init("open the page", result: "500", tool: "curl", success: false), to: id)
    try await memory.append([.init("read the log"), .init("fix", number: 7), .init("test", number: 9)], to: id)
    try await memory.complete(id, successRate: 0)
    try await memory.reopen(id)
    try await memory.fail(id)
    try await memory.archive(id)
    try await memory.update(id, with: .init(session: "s1", metadata: ["b": 1, "a": [1.5, nil]]))
    try await memory.trust(.episode(id), as: .untrusted, by: "anna", because: "a test")
    let whole = (0..<3).map {
      Episode.sample(Episode.ID("\(prefix)whole\($0)"), domain: domain, steps: ["one \($0)", "two \($0)"])
    }
    try await memory.insert(whole, embeddings: [.init(of: whole[0].id, content: "c", vector: [1, 2], model: "m")])
    try await memory.insert(
      [.sample(whole[1].id, domain: domain, steps: ["another"])], existing: .replace)
    let vector = try await memory.embed(.init(of: whole[2].id, content: "c", vector: [1, 2], model: "m"))
    try await memory.delete(embedding: vector.id)
    let pattern = try await memory.domain(domain).record(
      .init(.optimization, data: ["use": .string(prefix)], successRate: 0.5), from: id)
    try await memory.markUsed(pattern.id, succeeded: true)
    try await memory.unlink(pattern.id, from: id)
    try await memory.link(pattern.id, to: whole[0].id)
    let other = try await memory.record(.init(.optimization, data: ["other": .string(prefix)]))
    try await memory.delete(pattern: other.id)
    _ = try await memory.write { batch in
      let second = try batch.begin(
        .init(.testing, domain: domain, context: "in a batch", id: Episode.ID("\(prefix)batch")))
      try batch.append(.init("step of a batch"), to: second.id)
      try batch.complete(second.id)
    }
    try await memory.delete(whole[2].id)
    try await memory.setRetention(RetentionPolicy(archiveAfter: .seconds(86_400)), for: domain)
    try await memory.optimize()
  }
}

extension AuditVerification {
  var kinds: Set<AuditFinding.Kind> { Set(findings.map(\.kind)) }
}

@Suite struct `Audit` {
  @Test func `every verb that writes leaves a record of its actor, time and counts, and rows are what records say`()
    async throws
  {
    let store = try AuditedStore()
    let memory = try await store.open(.on(actor: "ci/7"))
    try await store.fill(memory)
    try await memory.rebuild()
    let records = try await memory.audit(limit: 1000)
    #expect(records.map(\.number) == Array(1...Int64(records.count)))
    #expect(records.allSatisfy { $0.actor == "ci/7" && $0.at == store.clock.now() })
    let verbs = records.map(\.verb)
    #expect(
      verbs == [
        "begin", "append", "append", "complete", "reopen", "fail", "archive", "update", "trust", "insert", "insert",
        "embed",
        "delete_embedding", "link", "record_pattern", "mark_used", "unlink", "link", "record_pattern",
        "delete_pattern", "begin", "append", "complete", "delete", "set_retention", "optimize", "rebuild",
      ])
    #expect(records[2].counts == ["steps": 3])
    #expect(records[9].counts == ["episodes": 3, "steps": 6, "vectors": 1])
    let id = try await memory.erasureDigest(.episode, of: "begun")
    #expect(records[2].subjects.map(\.id) == [id, id, id])
    #expect(
      records[2].subjects.map(\.change).compactMap { change in
        if case .steps(let first, let count, _) = change { return [first, count] } else { return nil }
      } == [[2, 1], [7, 1], [9, 1]])
    let verification = try await memory.verifyAudit(rows: true)
    #expect(verification.isPassed, "\(verification.findings)")
    #expect(verification.records == Int64(records.count))
    let rows = try #require(verification.rows)
    // begun, whole0, whole1, batch; 4 + 2 + 1 + 1 steps.
    #expect(rows.episodes == 4 && rows.steps == 8 && rows.patterns == 1 && rows.unrecorded == 0)
    try await memory.close()
  }

  @Test func `what is refused, or writes nothing, leaves no record`() async throws {
    let store = try AuditedStore()
    try await store.with { memory in
      let request = Episode.Draft(.testing, domain: "d", context: "c")
      let episode = try await memory.begin(request, idempotencyKey: "k")
      let before = try await memory.auditHead().number
      #expect(try await memory.begin(request, idempotencyKey: "k").id == episode.id)
      #expect(try await memory.delete("none") == false)
      #expect(await failure { try await memory.complete("none") }?.code == .notFound)
      #expect(await failure { try await memory.append(.init("a", number: 0), to: episode.id) } != nil)
      #expect(
        await failure {
          try await memory.write { batch in
            try batch.append(.init("undone"), to: episode.id)
            throw MemoryError(.invalid, "no")
          }
        }?.code == .invalid)
      // A batch that catches a refusal keeps what it has written besides, and the record says that.
      try await memory.write { batch in
        do throws(MemoryError) { try batch.complete("none") } catch { #expect(error.code == .notFound) }
        try batch.append(.init("kept"), to: episode.id)
      }
      let records = try await memory.audit(after: before)
      #expect(records.map(\.verb) == ["append"] && records[0].counts == ["steps": 1])
      #expect(try await memory.verifyAudit(rows: true).isPassed)
    }
  }

  @Test func `without an audit there is no record, and a chain goes on where another process left it`() async throws {
    let store = try AuditedStore()
    try await store.with(.off) { memory in
      try await store.fill(memory)
      #expect(try await memory.audit().isEmpty)
      let head = try await memory.auditHead()
      #expect(head.number == 0 && head.digest.rawValue == String(repeating: "0", count: 64))
    }
    try await store.with(.on(actor: "a")) { _ = try await $0.begin(.init(.testing, domain: "d", context: "1")) }
    try await store.with(.on(actor: "b")) { memory in
      _ = try await memory.begin(.init(.testing, domain: "d", context: "2"))
      #expect(try await memory.audit().map(\.actor) == ["a", "b"])
      let rows = try #require(try await memory.verifyAudit(rows: true).rows)
      #expect(rows.episodes == 2 && rows.unrecorded > 0)
    }
  }

  @Test(arguments: ["", String(repeating: "x", count: 129), "a\nb", "a\u{202E}b", "\u{7F}"])
  func `an actor that is no name is refused`(_ actor: String) async throws {
    let store = try AuditedStore()
    #expect(await failure { _ = try await store.open(.on(actor: actor)) }?.code == .invalid)
  }

  @Test func `a large write is several records of at most 256 subjects`() async throws {
    let memory = try await Memory.inMemory(audit: .on(actor: "a"))
    try await memory.insert((0..<600).map { .sample(Episode.ID("e\($0)"), steps: ["s"]) })
    let records = try await memory.audit()
    #expect(records.map(\.subjects.count).allSatisfy { $0 <= 256 } && records.count == 5)
    #expect(records.compactMap { $0.counts["episodes"] }.reduce(0, +) == 600)
    #expect(records.compactMap { $0.counts["steps"] }.reduce(0, +) == 600)
    let verification = try await memory.verifyAudit(rows: true)
    #expect(verification.isPassed && verification.rows?.steps == 600)
  }
}

@Suite struct `Tampering with an audit` {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let kinds: Set<AuditFinding.Kind>
    let script: String

    init(_ name: String, _ kinds: Set<AuditFinding.Kind>, _ script: String) {
      (testDescription, self.kinds, self.script) = (name, kinds, script)
    }
  }

  static let chain = [
    Case("an actor", [.recordChanged], "UPDATE audit SET actor = 'bob' WHERE number = 5"),
    Case("a time", [.recordChanged], "UPDATE audit SET at = at + 1 WHERE number = 5"),
    Case("a verb", [.recordChanged], "UPDATE audit SET verb = 'link' WHERE number = 5"),
    Case("counts", [.recordChanged], "UPDATE audit SET counts = '{\"episodes\": 1}' WHERE number = 5"),
    Case("a domain", [.recordChanged], "UPDATE audit SET domain = NULL WHERE number = 5"),
    Case("subjects", [.recordChanged], "UPDATE audit SET subjects = x'' WHERE number = 5"),
    Case("a digest", [.recordChanged, .orderBroken], "UPDATE audit SET digest = randomblob(32) WHERE number = 5"),
    Case("what came before", [.recordChanged], "UPDATE audit SET previous = randomblob(32) WHERE number = 5"),
    Case("a removed record", [.recordMissing], "DELETE FROM audit WHERE number = 5"),
    Case("the first record, removed", [.recordMissing], "DELETE FROM audit WHERE number = 1"),
    Case("several removed records", [.recordMissing], "DELETE FROM audit WHERE number BETWEEN 3 AND 6"),
    Case(
      "a removed record whose gap is closed", [.recordChanged],
      "DELETE FROM audit WHERE number = 5; UPDATE audit SET number = number - 1 WHERE number > 5"),
    Case(
      "two records that changed places", [.recordChanged, .orderBroken],
      "UPDATE audit SET number = 1000 WHERE number = 5; UPDATE audit SET number = 5 WHERE number = 6; UPDATE audit SET number = 6 WHERE number = 1000"
    ),
    Case(
      "a record after the last", [.recordChanged],
      """
      INSERT INTO audit SELECT (SELECT max(number) + 1 FROM audit), at, actor, verb, domain, counts, subjects, previous, digest
      FROM audit WHERE number = 5
      """),
  ]

  @Test(arguments: chain) func `the chain shows`(_ tampering: Case) async throws {
    let store = try AuditedStore()
    let head = try await store.with { memory in
      try await store.fill(memory)
      return try await memory.auditHead()
    }
    try store.shell(tampering.script)
    let found = try await store.with { try await $0.verifyAudit() }
    #expect(found.kinds == tampering.kinds, "\(found.findings)")
    #expect(found.findings.first.map { ($0.number ?? 0) <= head.number + 1 } == true)
    // The doctor and a full check say so, too.
    let checks = try await store.with { try await $0.check() }
    #expect(checks.contains { if case .failed = $0.outcome { $0.name == "audit" } else { false } })
  }

  @Test func `the chain shows an inserted record, also if those after it are moved up`() async throws {
    let store = try AuditedStore()
    let head = try await store.with { memory in
      try await store.fill(memory)
      return try await memory.auditHead()
    }
    // Behind record 5, and all after it moved up.
    var moves = ""
    for number in (6...head.number).reversed() {
      moves += "UPDATE audit SET number = \(number + 1) WHERE number = \(number);"
    }
    try store.shell(
      moves
        + "INSERT INTO audit SELECT 6, at, actor, verb, domain, counts, subjects, digest, digest FROM audit WHERE number = 5"
    )
    let found = try await store.with { try await $0.verifyAudit() }
    #expect(found.kinds.contains(.recordChanged), "\(found.findings)")
  }

  @Test func `the triggers refuse to change or remove a record`() async throws {
    let store = try AuditedStore()
    try await store.with { try await store.fill($0) }
    let database = try DatabaseQueue(path: store.path + "/memory.sqlite")
    for script in ["UPDATE audit SET actor = 'x' WHERE number = 1", "DELETE FROM audit"] {
      #expect(throws: DatabaseError.self) { try database.write { db in try db.execute(sql: script) } }
    }
    try database.close()
    #expect(try await store.with { try await $0.verifyAudit() }.isPassed)
  }

  @Test func `a cut tail, and a chain that was written again, show by a head that was kept`() async throws {
    let store = try AuditedStore()
    let heads = try await store.with { memory in
      let start = try await memory.auditHead()
      try await store.fill(memory)
      return [start, try await memory.auditHead()]
    }
    // As a file has it.
    let kept = try heads.map { try AuditHead(json: JSON(text: $0.json.outputText)) }
    #expect(kept == heads)
    try await store.with { memory in
      try await memory.append(.init("later"), to: try await memory.begin(.init(.testing, domain: "d", context: "c")).id)
      #expect(try await memory.verifyAudit(against: kept).isPassed)
    }
    try store.shell("DELETE FROM audit WHERE number >= \(heads[1].number)")
    let cut = try await store.with { memory in
      // Without the head nothing shows.
      #expect(try await memory.verifyAudit().isPassed)
      return try await memory.verifyAudit(against: kept)
    }
    #expect(cut.kinds == [.tailCut], "\(cut.findings)")
    // Somebody goes on with the engine, whose chain is right again.
    let again = try await store.with { memory in
      for number in 0..<5 { _ = try await memory.begin(.init(.testing, domain: "d", context: "again \(number)")) }
      #expect(try await memory.verifyAudit().isPassed)
      return try await memory.verifyAudit(against: kept)
    }
    #expect(again.kinds == [.headDiffers], "\(again.findings)")
  }

  static let rows = [
    Case("a context", [.rowChanged], "UPDATE episodes SET context = context || '!' WHERE id = 'whole0'"),
    Case("a status", [.rowChanged], "UPDATE episodes SET status = 'completed' WHERE id = 'begun'"),
    Case("a rate", [.rowChanged], "UPDATE episodes SET success_rate = 0.75 WHERE id = 'begun'"),
    Case("metadata", [.rowChanged], "UPDATE episodes SET metadata = '{\"a\":2}' WHERE id = 'begun'"),
    Case(
      "an action", [.rowChanged], "UPDATE steps SET action = 'rm -rf' WHERE episode_id = 'begun' AND step_number = 7"),
    Case("a result", [.rowChanged], "UPDATE steps SET result = NULL WHERE episode_id = 'begun' AND step_number = 1"),
    Case("a success", [.rowChanged], "UPDATE steps SET success = 1 WHERE episode_id = 'begun' AND step_number = 1"),
    Case(
      "a step of an insert", [.rowChanged],
      "UPDATE steps SET tool = 'x' WHERE episode_id = 'whole0' AND step_number = 2"),
    Case("a level of trust", [.rowChanged], "UPDATE episodes SET trust = 4 WHERE id = 'begun'"),
    Case("a source", [.rowChanged], "UPDATE episodes SET source = 'user' WHERE id = 'whole0'"),
    Case(
      "the source of a step", [.rowChanged],
      "UPDATE steps SET source_id = 'x' WHERE episode_id = 'whole0' AND step_number = 1"),
    Case("a pattern", [.rowChanged], "UPDATE patterns SET success_rate = 0.25"),
    Case("a removed step", [.rowMissing], "DELETE FROM steps WHERE episode_id = 'begun' AND step_number = 9"),
    Case("a removed episode", [.rowMissing], "PRAGMA foreign_keys = ON; DELETE FROM episodes WHERE id = 'whole0'"),
    Case("a removed pattern", [.rowMissing], "PRAGMA foreign_keys = ON; DELETE FROM patterns"),
    Case(
      "an episode that came back", [.rowReturned],
      """
      INSERT INTO episodes (id, task_type, domain, context, created_at) VALUES ('whole2', 'testing', 'web', 'forged', 0)
      """),
  ]

  @Test(arguments: rows) func `the rows show`(_ tampering: Case) async throws {
    let store = try AuditedStore()
    try await store.with { try await store.fill($0) }
    try store.shell(tampering.script)
    try await store.with { memory in
      #expect(try await memory.verifyAudit().isPassed)
      let found = try await memory.verifyAudit(rows: true)
      #expect(found.kinds == tampering.kinds && found.findings.count == 1, "\(found.findings)")
    }
  }

  @Test func `a row that no record has is counted, and a later record of a row takes the place of the one before`()
    async throws
  {
    let store = try AuditedStore()
    try await store.with { try await store.fill($0) }
    try store.shell(
      """
      INSERT INTO episodes (id, task_type, domain, context, created_at) VALUES ('forged', 'testing', 'web', 'forged', 0);
      INSERT INTO steps (id, episode_id, step_number, action, timestamp) VALUES ('f', 'begun', 8, 'forged', 0);
      UPDATE episodes SET context = 'changed' WHERE id = 'whole0';
      """)
    try await store.with { memory in
      let found = try await memory.verifyAudit(rows: true)
      #expect(found.kinds == [.rowChanged] && found.rows?.unrecorded == 2, "\(found.findings)")
      // Whoever audits and writes the row vouches for it as it is then.
      try await memory.update("whole0", with: .init(metadata: ["seen": true]))
      #expect(try await memory.verifyAudit(rows: true).isPassed)
    }
  }
}
