import Episodic
import Foundation
import GRDB
import TestSupport
import Testing

private func failure(_ body: () async throws -> Void) async -> MemoryError? {
  do { try await body() } catch { return error as? MemoryError }
  return nil
}

@Suite struct `A required audit` {
  @Test func `refuses writes of every process without one, also of those that had the store open`() async throws {
    let store = try AuditedStore()
    let silent = try await store.open(.off)
    let id = try await silent.begin(.init(.testing, domain: "d", context: "before")).id
    #expect(await failure { try await silent.setAuditRequired(true) }?.code == .invalid)
    try await store.with { memory in
      try await memory.setAuditRequired(true)
      #expect(try await memory.auditIsRequired())
    }
    let refused: [(String, () async throws -> Void)] = [
      ("begin", { _ = try await silent.begin(.init(.testing, domain: "d", context: "c")) }),
      ("append", { try await silent.append(.init("a"), to: id) }),
      ("update", { try await silent.update(id, with: .init(context: "x")) }),
      ("delete", { try await silent.delete(id) }),
      ("insert", { try await silent.insert([.sample("e")]) }),
      ("record", { _ = try await silent.record(.init(.optimization, data: [:])) }),
      ("forget", { try await silent.forget(.episodes([id]), in: .everything) }),
      ("retention", { try await silent.setRetention(nil) }),
      ("optimize", { try await silent.optimize() }),
      ("trust", { try await silent.trust(.episode(id), as: .verified, by: "x") }),
      ("require", { try await silent.setAuditRequired(false) }),
      ("rebuild", { try await silent.rebuild() }),
    ]
    for (name, verb) in refused {
      let error = await failure(verb)
      #expect(error?.code == .invalid && error?.message.contains("audit") == true, "\(name): \(error?.message ?? "")")
    }
    #expect(try await silent.episode(id)?.context == "before")
    let head = try await silent.auditHead()
    #expect(head.number == 1)
    try await store.with { memory in
      try await memory.setAuditRequired(false)
      #expect(try await memory.audit().map(\.verb) == ["set_audit", "set_audit"])
    }
    try await silent.append(.init("after"), to: id)
    try await silent.close()
  }

  @Test func `a value of the setting that another program wrote does not lift it`() async throws {
    let store = try AuditedStore()
    try await store.with { try await $0.setAuditRequired(true) }
    try store.shell("UPDATE settings SET value = '{\"required\":false}' WHERE name = 'audit'")
    try await store.with(.off) { memory in
      #expect(
        await failure { _ = try await memory.begin(.init(.testing, domain: "d", context: "c")) }?.code == .invalid)
    }
  }
}

@Suite struct `The life of an audit` {
  @Test func `an erasure leaves no byte of content in any file, breaks no chain, and is in it`() async throws {
    let store = try AuditedStore()
    let secrets = ["canary-context-4711", "canary-action-0815", "canary-session-2222", "canary-domain-3333"]
    try await store.with { memory in
      let id = try await memory.begin(
        .init(.testing, domain: secrets[3], context: secrets[0], session: secrets[2], id: "canary-id-55555")
      ).id
      try await memory.append(.init(secrets[1]), to: id)
      try await memory.complete(id)
      try await store.fill(memory)
      let head = try await memory.auditHead()
      let receipt = try await memory.forget(.domain(secrets[3]), in: .everything)
      #expect(receipt.cleanedAt != nil && receipt.counts.episodes == 1)
      let records = try await memory.audit(after: head.number)
      #expect(records.map(\.verb) == ["forget", "forget"])
      #expect(records[0].counts == ["episodes": 1] && records[0].domain != nil)
      #expect(records[0].subjects.map(\.change) == [.removed])
      #expect(records[0].subjects.map(\.id) == [try await memory.erasureDigest(.episode, of: "canary-id-55555")])
      #expect(records[1].counts["episodes"] == 1 && records[1].counts["steps"] == 1 && records[1].domain == nil)
      let verification = try await memory.verifyAudit(against: [head], rows: true)
      #expect(verification.isPassed, "\(verification.findings)")
    }
    let found = try ErasedBytes(directory: store.directory).files(
      under: store.path, with: secrets + ["canary-id-55555"])
    #expect(found.isEmpty)
  }

  @Test func `an erasure of a parent is in the records of those that were derived from it`() async throws {
    let store = try AuditedStore()
    try await store.with { memory in
      let now = store.clock.now()
      let child = Episode(
        id: "child", taskType: .testing, domain: "web", context: "a summary", createdAt: now,
        parents: ["page", "other"])
      try await memory.insert([.sample("page", domain: "web"), child])
      try await memory.forget(.episodes(["page"]), in: .domain("web"))
      #expect(try await memory.episode("child")?.parents == ["other"])
      let verification = try await memory.verifyAudit(rows: true)
      #expect(verification.isPassed, "\(verification.findings)")
      try await memory.forget(.everything, in: .everything)
      #expect(try await memory.verifyAudit(rows: true).isPassed)
    }
  }

  @Test func `learning leaves records of the patterns that it keeps and forgets`() async throws {
    let store = try AuditedStore()
    try await store.with { memory in
      try await memory.insert(LookingEpisodes.episodes())
      #expect(try await !memory.learn().patterns.isEmpty)
      let advice = try #require(try await memory.advise(for: LookingEpisodes.running()).first)
      try await memory.insert([LookingEpisodes.running()])
      try await memory.feedback(advice, taken: true, helped: true)
      let told = try #require(try await memory.audit(limit: 1000).last)
      #expect(told.verb == "advice" && told.counts == ["advice": 1] && told.subjects.count == 2)
      let kept = try await memory.audit(limit: 1000).filter { $0.verb == "record_pattern" }
      #expect(kept.reduce(0) { $0 + ($1.counts["patterns"] ?? 0) } > 1)
      try await memory.forget(.everything, in: .domain("d"))
      try await memory.insert(LookingEpisodes.episodes(0..<4))
      try await memory.learn()
      #expect(try await memory.patterns(.init(limit: 100), in: .everything).isEmpty)
      let verification = try await memory.verifyAudit(rows: true)
      #expect(verification.isPassed, "\(verification.findings)")
    }
    // What is forgotten because it is not found again.
    let other = try AuditedStore()
    try await other.with { memory in
      try await memory.insert(LookingEpisodes.episodes())
      try await memory.learn()
      for number in 0..<200 { try await memory.delete(Episode.ID("d-a-\(number)")) }
      #expect(try await memory.learn().forgotten > 0)
      let verification = try await memory.verifyAudit(rows: true)
      #expect(verification.isPassed, "\(verification.findings)")
      #expect(try await memory.audit(limit: 1000).contains { $0.verb == "delete_pattern" })
    }
  }

  @Test func `retention, consolidation of runs and maintenance leave records`() async throws {
    let store = try AuditedStore()
    try await store.with { memory in
      try await memory.insert([.sample("old", status: .archived, steps: ["a"]), .sample("active", status: .active)])
      try await memory.setRetention(
        RetentionPolicy(deleteArchivedAfter: .seconds(86_400), abandonAfter: .seconds(3600)))
      store.clock.advance(by: .seconds(3 * 86_400))
      let before = try await memory.auditHead().number
      try await memory.applyRetention(acceptingClock: true)
      let records = try await memory.audit(after: before)
      #expect(Set(records.map(\.verb)) == ["retention"])
      #expect(records.flatMap(\.subjects).contains { $0.change == .removed })
      let kept = try await memory.auditHead().number
      _ = try await memory.maintain(.init(tasks: [.statistics, .backup]))
      #expect(try await memory.audit(after: kept).map(\.verb).allSatisfy { $0 == "maintain" })
      let verification = try await memory.verifyAudit(rows: true)
      #expect(verification.isPassed, "\(verification.findings)")
    }
  }

  @Test func `a restored store goes on with its chain, and a head of before the restore shows what is missing`()
    async throws
  {
    let store = try AuditedStore()
    let (backup, head, later) = try await store.with { memory in
      try await store.fill(memory)
      let backup = try await memory.backUp()
      let head = try await memory.auditHead()
      _ = try await memory.begin(.init(.testing, domain: "d", context: "after the backup"))
      try await memory.forget(.episodes(["whole0"]), in: .everything)
      return (backup, head, try await memory.auditHead())
    }
    var options = RestoreOptions()
    options.clock = store.clock
    options.audit = .on(actor: "operator")
    let report = try await Memory.restore(backup.path, to: store.path, options: options)
    #expect(report.erasures == 1)
    try await store.with { memory in
      let records = try await memory.audit(after: head.number)
      #expect(records.map(\.verb) == ["repeat_erasure", "repeat_erasure", "restore"])
      #expect(records.allSatisfy { $0.actor == "operator" } && records.last?.counts == ["erasures": 1])
      let verification = try await memory.verifyAudit(against: [head], rows: true)
      #expect(verification.isPassed, "\(verification.findings)")
      let found = try await memory.verifyAudit(against: [head, later]).kinds
      #expect(found == [.tailCut] || found == [.headDiffers], "\(found)")
    }
  }

  @Test func `a store that requires an audit is restored and salvaged with an actor, and not restored without`()
    async throws
  {
    let store = try AuditedStore()
    let backup = try await store.with { memory in
      try await memory.setAuditRequired(true)
      try await store.fill(memory)
      return try await memory.backUp()
    }
    #expect(await failure { _ = try await Memory.restore(backup.path, to: store.path) }?.code == .invalid)
    var options = RestoreOptions()
    options.audit = .on(actor: "operator")
    _ = try await Memory.restore(backup.path, to: store.path, options: options)
    let target = store.directory.file("salvaged")
    let report = try await Memory.salvage(from: store.path, to: target, audit: .on(actor: "rescuer"))
    #expect(report.isComplete && report.failedChecks.isEmpty, "\(report)")
    let memory = try await Memory.open(at: target, options: store.options())
    let records = try await memory.audit(limit: 1000)
    #expect(records.last?.verb == "salvage" && records.last?.actor == "rescuer")
    let verification = try await memory.verifyAudit(rows: true)
    #expect(verification.isPassed && verification.rows?.unrecorded == 0, "\(verification.findings)")
    #expect(try await memory.auditIsRequired())
    try await memory.close()
  }

  @Test func `an export is verified without the store, and shows what was done to a line`() async throws {
    let store = try AuditedStore()
    let (lines, head) = try await store.with { memory in
      try await store.fill(memory)
      return (try await memory.audit(limit: 1000).map(\.json.outputText), try await memory.auditHead())
    }
    func verify(_ lines: [String]) throws -> AuditVerification {
      var chain = AuditChain(against: [head])
      for line in lines { chain.add(try AuditRecord(json: JSON(text: line))) }
      return chain.verification()
    }
    let whole = try verify(lines)
    #expect(whole.isPassed && whole.number == head.number && whole.digest == head.digest, "\(whole.findings)")
    #expect(try verify(lines.dropLast()).kinds == [.tailCut])
    #expect(try verify(Array(lines.dropFirst())).kinds == [.recordMissing])
    var swapped = lines
    swapped.swapAt(3, 4)
    #expect(try verify(swapped).kinds.contains(.orderBroken))
    for index in lines.indices {
      var changed = lines
      changed[index] = lines[index].replacing("\"alice\"", with: "\"mallory\"")
      #expect(try verify(changed).kinds == [.recordChanged])
    }
    for text in ["{}", "[]", "{\"number\": 1}", lines[0].replacing("\"change\":\"written\"", with: "\"change\":\"x\"")]
    {
      #expect(throws: MemoryError.self) { try AuditRecord(json: JSON(text: text)) }
    }
  }

  /// I8.
  @Test func `a handle to a domain has the records of that domain alone`() async throws {
    let store = try AuditedStore()
    try await store.with { memory in
      try await store.fill(memory, domain: "red", prefix: "red-")
      try await store.fill(memory, domain: "blue", prefix: "blue-")
      _ = try await memory.write { batch in
        for domain in ["red", "blue"] {
          try batch.begin(.init(.testing, domain: domain, context: "c", id: Episode.ID("\(domain)-both")))
        }
      }
      try await memory.forget(.metadata(path: ["a"], [1.5, nil]), in: .everything)
      let all = try await memory.audit(limit: 1000)
      var seen: Set<Int64> = []
      for domain in ["red", "blue"] {
        let records = try await memory.domain(domain).audit(limit: 1000)
        #expect(!records.isEmpty && records.contains { $0.verb == "forget" })
        #expect(Set(records.map(\.domain)).count == 1)
        #expect(seen.isDisjoint(with: records.map(\.number)))
        seen.formUnion(records.map(\.number))
        // Each subject is of this domain, by the ids that the test gave.
        let ids = ["begun", "whole0", "whole1", "whole2", "batch", "both"].map { "\(domain)-\($0)" }
        var own: Set<Erasure.Digest> = []
        for id in ids { own.insert(try await memory.erasureDigest(.episode, of: id)) }
        for subject in records.flatMap(\.subjects) where subject.kind == .episode { #expect(own.contains(subject.id)) }
        #expect(try await memory.domain(domain).audit(after: records[2].number, limit: 2) == Array(records[3..<5]))
        // Not more episodes than it has had.
        #expect(records.filter { $0.verb == "forget" }.compactMap { $0.counts["episodes"] } == [1])
      }
      #expect(all.filter { !seen.contains($0.number) }.allSatisfy { $0.domain == nil })
      #expect(try await memory.domain("green").audit().isEmpty)
    }
  }
}

@Suite struct `An audit of several processes` {
  @Test func `stays whole under kills, and has a record of each write that was acknowledged`() async throws {
    let directory = try TemporaryDirectory()
    let store = directory.file("store")
    var generator = SeededGenerator(seed: 14)
    var lines: [(actor: String, line: String)] = []
    for round in 0..<8 {
      let names = (0..<3).map { "k\(round)-\($0)" }
      let children = try names.map { try Child("StoreWorker", ["audit", store, $0], in: directory) }
      for child in children {
        try await child.waitForLines(Int.random(in: 1...10, using: &generator))
        usleep(UInt32.random(in: 0...5_000, using: &generator))
        child.kill()
      }
      for (name, child) in zip(names, children) { lines += try child.lines.map { (name, $0) } }
    }
    let memory = try await Memory.open(at: store)
    let verification = try await memory.verifyAudit(rows: true)
    #expect(verification.isPassed && verification.rows?.unrecorded == 0, "\(verification.findings)")
    var said: Set<String> = []
    var last: Int64 = 0
    while true {
      let records = try await memory.audit(after: last, limit: 1000)
      guard let newest = records.last else { break }
      last = newest.number
      for record in records {
        for subject in record.subjects {
          switch subject.change {
          case .steps(let first, let count, _):
            for number in first..<(first + count) { said.insert("\(record.actor) step \(subject.id) \(number)") }
          default: said.insert("\(record.actor) \(record.verb) \(subject.id)")
          }
        }
      }
    }
    #expect(lines.count > 24)
    for (actor, line) in lines {
      let words = line.split(separator: " ").map(String.init)
      let id = try await memory.erasureDigest(.episode, of: words[1])
      switch words[0] {
      case "episode":
        #expect(said.contains("\(actor) begin \(id)") || said.contains("\(actor) insert \(id)"), "\(line)")
      case "step": #expect(said.contains("\(actor) step \(id) \(words[2])"), "\(line)")
      default: #expect(said.contains("\(actor) complete \(id)"), "\(line)")
      }
    }
    try await memory.close()
  }
}

#if Encryption
  @Suite struct `Signatures of an audit` {
    @Test func `a signed head is of its key, and of no other text or key`() async throws {
      let memory = try await Memory.inMemory(audit: .on(actor: "a"))
      _ = try await memory.begin(.init(.testing, domain: "d", context: "c"))
      let (key, other) = (AuditSigningKey(), AuditSigningKey())
      let head = try key.signed(try await memory.auditHead())
      func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }
      #expect(try head.isSigned() && head.isSigned(by: hex(key.publicKey)))
      #expect(try head.isSigned(by: hex(other.publicKey)) == false)
      let read = try AuditHead(json: JSON(text: head.json.outputText))
      #expect(read == head)
      let forged = head.json.outputText.replacing("\"number\":1", with: "\"number\":2")
      #expect(forged != head.json.outputText)
      #expect(try AuditHead(json: JSON(text: forged)).isSigned() == false)
      #expect(try await memory.auditHead().isSigned() == false)
    }

    /// RFC 8032, section 7.1, test 1, as RFC 8410 writes it.
    @Test func `keys are read from PEM and from hexadecimal digits, and nothing else`() throws {
      let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
      let wanted = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
      let prefix: [UInt8] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]
      let bytes = stride(from: 0, to: 64, by: 2).map { index -> UInt8 in
        let start = seed.index(seed.startIndex, offsetBy: index)
        return UInt8(seed[start..<seed.index(start, offsetBy: 2)], radix: 16) ?? 0
      }
      let pem =
        "-----BEGIN PRIVATE KEY-----\n\(Data(prefix + bytes).base64EncodedString())\n-----END PRIVATE KEY-----\n"
      for text in [seed, pem] {
        let key = try AuditSigningKey(text: text)
        #expect(key.publicKey.map { String(format: "%02x", $0) }.joined() == wanted)
      }
      for text in [
        "", "x", String(seed.dropLast(2)), pem.replacing("PRIVATE", with: "PUBLIC"), String(pem.dropLast(30)),
      ] {
        #expect(throws: MemoryError.self) { try AuditSigningKey(text: text) }
      }
    }
  }
#endif
