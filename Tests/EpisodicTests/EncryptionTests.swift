import Episodic
import Foundation
import GRDB
import TestSupport
import Testing

/// A store in a directory of its own, opened with a key.
struct EncryptedStore {
  let directory: TemporaryDirectory
  let path: String
  let key: StoreKey

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("store")
    key = .random()
  }

  func open(_ key: StoreKey? = nil, withoutKey: Bool = false, audit: Auditing = .off) async throws -> Memory {
    var options = Memory.OpenOptions()
    options.key = withoutKey ? nil : .key(key ?? self.key)
    options.audit = audit
    return try await Memory.open(at: path, options: options)
  }

  @discardableResult
  func with<Value>(
    _ key: StoreKey? = nil, withoutKey: Bool = false, audit: Auditing = .off, _ body: (Memory) async throws -> Value
  ) async throws -> Value {
    let memory = try await open(key, withoutKey: withoutKey, audit: audit)
    let value = try await body(memory)
    try await memory.close()
    return value
  }

  /// As another program, while no memory is open.
  func shell(_ sql: String) throws {
    try DatabaseQueue(path: path + "/memory.sqlite").inDatabase { db in
      try db.execute(sql: sql)
      _ = try String.fetchAll(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
    }
  }

  func value(_ sql: String) throws -> String? {
    try DatabaseQueue(path: path + "/memory.sqlite").inDatabase { db in try String.fetchOne(db, sql: sql) }
  }
}

private func failure(_ body: () async throws -> Void) async -> MemoryError? {
  do { try await body() } catch { return error as? MemoryError }
  return nil
}

#if Encryption
  @Suite struct `An encrypted domain` {
    @Test func `answers as the same data unencrypted, by words and by vectors`() async throws {
      let store = try EncryptedStore()
      let words = ["flaky", "login", "token", "deploy", "cache", "Größe", "us-west-2", "parser", "retry", "timeout"]
      var generator = SeededGenerator(seed: 14)
      var episodes: [Episode] = []
      for number in 0..<60 {
        func text(_ count: Int) -> String {
          (0..<count).map { _ in words.randomElement(using: &generator) ?? "" }.joined(separator: " ")
        }
        episodes.append(
          .sample(
            Episode.ID("e\(number)"), domain: "open", context: text(6), steps: [text(3), text(4)],
            at: 1_767_225_600_000 + Int64(number) * 1000))
      }
      let vectors = (0..<60).map { number in
        (0..<8).map { _ in Float.random(in: -1...1, using: &generator) + Float(number % 3) }
      }
      try await store.with { memory async throws in
        try await memory.encrypt(domain: "secret")
        for episode in episodes {
          try await memory.insert([episode])
          let copy = Episode(
            id: Episode.ID("s-\(episode.id)"), taskType: episode.taskType, domain: "secret", context: episode.context,
            status: episode.status, successRate: episode.successRate, createdAt: episode.createdAt,
            completedAt: episode.completedAt,
            steps: episode.steps.map {
              Step(
                id: Step.ID("s-\($0.id)"), number: $0.number, action: $0.action, success: $0.success,
                timestamp: $0.timestamp)
            })
          try await memory.insert([copy])
        }
        for (number, vector) in vectors.enumerated() {
          _ = try await memory.embed(.init(of: Episode.ID("e\(number)"), content: "v", vector: vector, model: "m"))
          _ = try await memory.embed(.init(of: Episode.ID("s-e\(number)"), content: "v", vector: vector, model: "m"))
        }
        func answer(_ query: Query) async throws -> [String] {
          try await memory.recall(query).map { hit in
            let id = hit.episode.id.rawValue
            return "\(id.hasPrefix("s-") ? String(id.dropFirst(2)) : id) \(Int((hit.score * 1e6).rounded()))"
          }
        }
        var queries: [Query] = words.map { Query(text: "\($0) parser", scope: .everything, limit: 20) }
        queries.append(Query(text: "logins retried", scope: .everything, limit: 20))
        queries.append(Query(vector: vectors[7], scope: .everything, limit: 15))
        queries.append(Query(text: "token timeout", vector: vectors[11], scope: .everything, limit: 15))
        for query in queries {
          var (open, secret) = (query, query)
          (open.scope, secret.scope) = (.domain("open"), .domain("secret"))
          open.isExact = true
          let expected = try await answer(open)
          #expect(!expected.isEmpty)
          #expect(try await answer(secret) == expected, "\(query.text ?? "vector")")
        }
        // Reads give what was written.
        let read = try #require(try await memory.episode("s-e3"))
        #expect(read.context == episodes[3].context && read.steps.map(\.action) == episodes[3].steps.map(\.action))
        #expect(try await memory.embeddings(of: "s-e3").map(\.vector) == [vectors[3]])
        #expect(try await memory.check().allSatisfy { $0.outcome == .passed })
        // Everywhere, its words are not searched.
        let everywhere = try await memory.recall(Query(text: "flaky login", scope: .everything, limit: 100))
        #expect(everywhere.allSatisfy { $0.episode.domain == "open" } && !everywhere.isEmpty)
      }
    }

    @Test func `keeps texts, metadata, patterns and their changes, and finds steps by tool`() async throws {
      let store = try EncryptedStore()
      let id: Episode.ID = "a"
      let expected: Episode = try await store.with { memory async throws in
        try await memory.encrypt(domain: "d")
        let draft = Episode.Draft(
          .debugging, domain: "d", context: "the first context", metadata: ["ticket": "ticket-seventeen"], id: id)
        _ = try await memory.begin(draft)
        try await memory.append(
          [.init("open the door", result: "it is locked", tool: "door opener"), .init("kick it", tool: "foot")], to: id)
        try await memory.update(id, with: .init(context: "the second context"))
        try await memory.update(id, with: .init(metadata: ["ticket": "ticket-eighteen"]))
        return try await memory.fail(id)
      }
      try await store.with { memory async throws in
        let read = try #require(try await memory.episode(id))
        #expect(
          read == expected && read.context == "the second context" && read.metadata == ["ticket": "ticket-eighteen"])
        #expect(read.steps.map(\.tool) == ["door opener", "foot"] && read.steps[0].result == "it is locked")
        func found(_ filter: Step.Filter) async throws -> Int {
          try await memory.episodes(.init(step: filter), in: .domain("d")).elements.count
        }
        #expect(try await found(.init(tool: "door opener")) == 1)
        #expect(try await found(.init(tool: "opener door")) == 0)
        #expect(try await found(.init(text: "locked")) == 1)
        #expect(try await found(.init(text: "unlocked")) == 0)
        #expect(try await memory.recall("eighteen", in: .domain("d"), filter: .init(statuses: [.failed])).count == 1)
        #expect(try await memory.recall("seventeen", in: .domain("d"), filter: .init(statuses: [.failed])).isEmpty)
        for query in [
          Query(text: "context", phrases: ["second context"], scope: .domain("d")),
          Query(prefixes: ["con"], scope: .domain("d")),
        ] {
          #expect(await failure { _ = try await memory.recall(query) }?.code == .invalid)
        }
        // Patterns: the same data is the same pattern.
        let data: JSON = ["cure": "turn it off and on"]
        let first = try await memory.record(.init(.errorResolution, data: data, domain: "d", metadata: ["by": "hand"]))
        let again = try await memory.record(.init(.errorResolution, data: data, domain: "d", successRate: 0.5))
        #expect(again.id == first.id && again.successRate == 0.5 && again.metadata == ["by": "hand"])
        #expect(again.dataHash == data.canonicalHash)
        #expect(try await memory.pattern(.errorResolution, data: data, in: "d")?.id == first.id)
        #expect(try await memory.patterns(.init(text: "turning"), in: .domain("d")).map(\.id) == [first.id])
        #expect(try await memory.patterns(.init(text: "nothing"), in: .domain("d")).isEmpty)
        #expect(try await memory.patterns(.init(data: data), in: .domain("d")).map(\.id) == [first.id])
        #expect(try await memory.check().allSatisfy { $0.outcome == .passed })
      }
    }

    @Test func `leaves no text in any file, whatever path it took`() async throws {
      let store = try EncryptedStore()
      let bytes = ErasedBytes(directory: store.directory)
      let secrets = [
        "context": "contextsecretzebra", "action": "actionsecretzebra", "result": "resultsecretzebra",
        "tool": "toolsecretzebra", "metadata": "metadatasecretzebra", "content": "contentsecretzebra",
        "pattern": "patternsecretzebra", "updated": "updatedsecretzebra", "plain": "plainsecretzebra",
        "plain step": "plainstepsecretzebra", "plain pattern": "plainpatternsecretzebra", "note": "notesecretzebra",
      ]
      func secret(_ name: String) -> String { secrets[name] ?? "" }
      let vector: [Float] = (0..<16).map { Float($0) * 0.731 + 3.25 }
      let vectorBytes = vector.withUnsafeBytes { $0.map { String(format: "%02x", $0) }.joined() }
      try await store.with { memory async throws in
        // Before the domain is encrypted: the conversion leaves nothing.
        let old = try await memory.begin(.init(.testing, domain: "d", context: secret("plain"), id: "old"))
        try await memory.append(.init(secret("plain step"), result: secret("plain step")), to: old.id)
        try await memory.complete(old.id)
        _ = try await memory.record(.init(.optimization, data: ["say": .string(secret("plain pattern"))], domain: "d"))
        _ = try await memory.recall(secret("plain"), in: .domain("d"))
        _ = try await memory.episode(old.id)
        try await memory.learn()
        let report = try await memory.encrypt(domain: "d")
        #expect(report.rows == 3 && report.pending == nil && report.key.isConverting == false)

        let id = try await memory.begin(
          .init(.testing, domain: "d", context: secret("context"), metadata: ["m": .string(secret("metadata"))]),
          idempotencyKey: "request-1"
        ).id
        try await memory.append(
          .init(secret("action"), result: secret("result"), tool: secret("tool")), to: id)
        try await memory.update(id, with: .init(context: secret("updated")))
        _ = try await memory.embed(.init(of: id, content: secret("content"), vector: vector, model: "m"))
        _ = try await memory.record(.init(.optimization, data: ["say": .string(secret("pattern"))], domain: "d"))
        try await memory.complete(id)
        for name in secrets.values { _ = try await memory.recall(name, in: .domain("d")) }
        _ = try await memory.recall(Query(text: secret("updated"), vector: vector, scope: .domain("d")))
        _ = try await memory.episode(id)
        _ = try await memory.episodes([id, "old"])
        _ = try await memory.patterns(in: .domain("d"))
        _ = try await memory.pattern(.optimization, data: ["say": .string(secret("pattern"))], in: "d")
        try await memory.learn()
        _ = try await memory.backUp()
        #expect(try bytes.files(under: store.path, with: Array(secrets.values)) == [])
        #expect(try await memory.recall(secret("plain step"), in: .domain("d")).map(\.episode.id) == [old.id])
      }
      #expect(try bytes.files(under: store.path, with: Array(secrets.values)) == [])
      let list = store.directory.file("vector")
      try (vectorBytes + "\n").write(toFile: list, atomically: false, encoding: .utf8)
      let child = try Child("StoreWorker", ["scan", store.path, list], in: store.directory)
      try child.expectSuccess()
      #expect(try child.lines == ["scanned"])
    }

    @Test func `is closed without its key, and leaves the others open`() async throws {
      let store = try EncryptedStore()
      try await store.with { memory async throws in
        try await memory.encrypt(domain: "d")
        try await memory.insert([.sample("secret", domain: "d", steps: ["s"]), .sample("open", domain: "o")])
      }
      for (key, code) in [(nil, MemoryError.Code.keyMissing), (StoreKey.random(), .keyWrong)] {
        try await store.with(key, withoutKey: key == nil) { memory async throws in
          let refused: [(String, () async throws -> Void)] = [
            ("episode", { _ = try await memory.episode("secret") }),
            ("recall", { _ = try await memory.recall("flaky", in: .domain("d")) }),
            ("list", { _ = try await memory.episodes(in: .domain("d")) }),
            ("insert", { try await memory.insert([.sample("x", domain: "d")]) }),
            ("begin", { _ = try await memory.begin(.init(.testing, domain: "d", context: "c")) }),
            ("patterns", { _ = try await memory.record(.init(.optimization, data: [:], domain: "d")) }),
            ("encrypt", { try await memory.encrypt(domain: "e") }),
            ("rotate", { try await memory.rotateKey(of: "d") }),
            ("rewrap", { try await memory.rotateStoreKey(to: .random()) }),
          ]
          for (name, verb) in refused {
            let error = await failure(verb)
            #expect(error?.code == code, "\(name): \(error?.message ?? "no error")")
            #expect(error?.message.contains(store.key.hexadecimal) != true)
          }
          #expect(try await memory.episode("open") != nil)
          #expect(try await memory.recall("flaky", in: .domain("o")).count == 1)
          #expect(try await memory.domainKeys().map(\.domain) == ["d"])
          // It can be erased without its key.
          #expect(try await memory.forget(.episodes(["secret"]), in: .everything, dryRun: true).counts.episodes == 1)
        }
      }
      // A program without the engine writes nothing as it is.
      #expect(throws: DatabaseError.self) {
        try store.shell(
          "INSERT INTO episodes (id, task_type, domain, context, created_at) VALUES ('p', 't', 'd', 'plain', 1)")
      }
      #expect(throws: DatabaseError.self) {
        try store.shell("UPDATE episodes SET context = 'plain' WHERE id = 'secret'")
      }
      #expect(throws: DatabaseError.self) { try store.shell("UPDATE episodes SET sealed = NULL WHERE id = 'secret'") }
    }

    @Test func `tells a changed row, a swapped row and a row put in from outside`() async throws {
      let store = try EncryptedStore()
      try await store.with { memory async throws in
        for domain in ["a", "b"] {
          try await memory.encrypt(domain: domain)
          try await memory.insert(
            (0..<2).map {
              .sample(Episode.ID("\(domain)\($0)"), domain: domain, context: "in \(domain) \($0)", steps: ["s", "t"])
            })
          _ = try await memory.embed(.init(of: Episode.ID("\(domain)0"), content: "c", vector: [1, 2], model: "m"))
          _ = try await memory.embed(.init(of: Episode.ID("\(domain)1"), content: "c", vector: [2, 1], model: "m"))
        }
      }
      let saved = store.path + "-saved.sqlite"
      try FileManager.default.copyItem(atPath: store.path + "/memory.sqlite", toPath: saved)
      let attacks: [(name: String, sql: String, read: (Memory) async throws -> Void)] = [
        (
          "a flipped bit of the tag",
          "UPDATE episodes SET sealed = unhex_flipped WHERE id = 'a0'",
          { _ = try await $0.episode("a0") }
        ),
        (
          "contexts of two episodes",
          "UPDATE episodes SET sealed = (SELECT sealed FROM episodes WHERE id = 'a1') WHERE id = 'a0'",
          { _ = try await $0.episode("a0") }
        ),
        (
          "contexts of two domains",
          "UPDATE episodes SET sealed = (SELECT sealed FROM episodes WHERE id = 'b0') WHERE id = 'a0'",
          { _ = try await $0.episode("a0") }
        ),
        (
          "an episode in another domain", "UPDATE episodes SET domain = 'b' WHERE id = 'a0'",
          { _ = try await $0.episode("a0") }
        ),
        (
          "two steps of one episode",
          "UPDATE steps SET sealed = (SELECT sealed FROM steps WHERE id = 'a0/2') WHERE id = 'a0/1'",
          { _ = try await $0.episode("a0") }
        ),
        (
          "the numbers of two steps",
          "UPDATE steps SET step_number = 3 WHERE id = 'a0/2'", { _ = try await $0.steps(of: "a0") }
        ),
        (
          "the vectors of two episodes",
          "UPDATE embeddings SET embedding = (SELECT embedding FROM embeddings WHERE episode_id = 'a1') WHERE episode_id = 'a0'",
          { _ = try await $0.recall(Query(vector: [1, 2], scope: .domain("a"))) }
        ),
        (
          "a text that is not encrypted", "UPDATE episodes SET sealed = NULL, context = 'do as I say' WHERE id = 'a0'",
          { _ = try await $0.episode("a0") }
        ),
      ]
      for attack in attacks {
        for name in ["memory.sqlite-wal", "memory.sqlite-shm"] {
          try? FileManager.default.removeItem(atPath: store.path + "/" + name)
        }
        try FileManager.default.removeItem(atPath: store.path + "/memory.sqlite")
        try FileManager.default.copyItem(atPath: saved, toPath: store.path + "/memory.sqlite")
        try DatabaseQueue(path: store.path + "/memory.sqlite").inDatabase { db in
          var sealed = try #require(try Data.fetchOne(db, sql: "SELECT sealed FROM episodes WHERE id = 'a0'"))
          // In the tag.
          sealed[20] ^= 1
          let flipped = "x'" + sealed.map { String(format: "%02x", $0) }.joined() + "'"
          let rule = try #require(
            try String.fetchOne(db, sql: "SELECT sql FROM sqlite_schema WHERE name = 'episodes_stay_sealed'"))
          try db.execute(sql: "DROP TRIGGER episodes_stay_sealed")
          try db.execute(sql: attack.sql.replacing("unhex_flipped", with: flipped))
          try db.execute(sql: rule)
          _ = try String.fetchAll(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        }
        try await store.with { memory async throws in
          let error = await failure { try await attack.read(memory) }
          #expect(error?.code == .corrupted, "\(attack.name): \(error?.message ?? "no error")")
          #expect(try await memory.episode("b1")?.context == "in b 1")
        }
      }
    }

    @Test func `has a new key after a rotation, and the old one opens nothing`() async throws {
      let store = try EncryptedStore()
      try await store.with { memory async throws in
        try await memory.encrypt(domain: "d")
        try await memory.insert(
          (0..<150).map { .sample(Episode.ID("e\($0)"), domain: "d", context: "text \($0)", steps: ["step \($0)"]) })
        _ = try await memory.embed(.init(of: "e1", content: "c", vector: [1, 2], model: "m"))
        _ = try await memory.record(.init(.optimization, data: ["a": "b"], domain: "d"))
      }
      let old = try #require(try store.value("SELECT hex(sealed) FROM episodes WHERE id = 'e7'"))
      let version = try await store.with { memory async throws in
        let version = try await memory.episode("e1")?.embeddingVersion
        let report = try await memory.rotateKey(of: "d")
        #expect(report.rows == 302 && report.key.version == 2 && report.pending == nil)
        #expect(try await memory.domainKeys().map(\.state) == [.current, .replaced])
        #expect(try await memory.episode("e7")?.context == "text 7")
        #expect(try await memory.recall("text 9", in: .domain("d")).first?.episode.id == "e9")
        #expect(try await memory.embeddings(of: "e1").map(\.vector) == [[1, 2]])
        #expect(try await memory.episode("e1")?.embeddingVersion == version)
        #expect(try await memory.check().allSatisfy { $0.outcome == .passed })
        return version
      }
      #expect(version == 1)
      #expect(try store.value("SELECT count(*) FROM steps WHERE hex(substr(sealed, 2, 4)) = '02000000'") == "150")
      // A row of an older copy.
      try store.shell("UPDATE episodes SET sealed = x'\(old)' WHERE id = 'e7'")
      try await store.with { memory async throws in
        let error = await failure { _ = try await memory.episode("e7") }
        #expect(error?.code == .keyDestroyed && error?.message.contains("version 1") == true, "\(error?.message ?? "")")
        #expect(try await memory.episode("e8") != nil)
      }
    }

    @Test func `follows another key of the store`() async throws {
      let store = try EncryptedStore()
      let key = StoreKey.random()
      try await store.with { memory async throws in
        try await memory.encrypt(domain: "d")
        try await memory.insert([.sample("e", domain: "d")])
        try await memory.rotateStoreKey(to: key)
        #expect(try await memory.episode("e") != nil)
        try await memory.insert([.sample("f", domain: "d")])
      }
      try await store.with { memory async throws in
        #expect(await failure { _ = try await memory.episode("e") }?.code == .keyWrong)
      }
      try await store.with(key) { memory async throws in
        #expect(try await memory.episodes(in: .domain("d")).elements.count == 2)
      }
    }

    @Test func `cannot be read any more when its key is destroyed, and can be forgotten`() async throws {
      let store = try EncryptedStore()
      try await store.with { memory async throws in
        try await memory.encrypt(domain: "d")
        try await memory.encrypt(domain: "other")
        try await memory.insert([.sample("e", domain: "d"), .sample("o", domain: "other")])
      }
      let key = try #require(try store.value("SELECT hex(wrapped) FROM domain_keys WHERE domain = 'd'"))
      try await store.with { memory async throws in
        #expect(try await memory.destroyKey(of: "d") == nil)
        #expect(await failure { _ = try await memory.episode("e") }?.code == .keyDestroyed)
        #expect(await failure { try await memory.insert([.sample("f", domain: "d")]) }?.code == .keyDestroyed)
        #expect(await failure { try await memory.encrypt(domain: "d") }?.code == .keyDestroyed)
        #expect(await failure { try await memory.destroyKey(of: "never") }?.code == .notFound)
        #expect(try await memory.episode("o") != nil)
      }
      // Not even what the key was wrapped to is left.
      let list = store.directory.file("wrapped")
      try (key.lowercased() + "\n").write(toFile: list, atomically: false, encoding: .utf8)
      let child = try Child("StoreWorker", ["scan", store.path, list], in: store.directory)
      try child.expectSuccess()
      #expect(try child.lines == ["scanned"])
      try await store.with { memory async throws in
        try await memory.forget(.domain("d"), in: .everything)
        try await memory.encrypt(domain: "d")
        try await memory.insert([.sample("e", domain: "d")])
        #expect(try await memory.episode("e") != nil)
        #expect(try await memory.domainKeys().filter { $0.domain == "d" }.map(\.state) == [.current, .destroyed])
      }
    }

    @Test func `is copied encrypted, restored with its key, and exported as it is`() async throws {
      let store = try EncryptedStore()
      let secret = "backupsecretzebra"
      let copy = store.directory.file("copy.sqlite")
      let export = store.directory.file("export.jsonl")
      try await store.with { memory async throws in
        try await memory.encrypt(domain: "d")
        try await memory.insert([.sample("e", domain: "d", context: secret)])
        _ = try await memory.backUp(to: copy)
        try await memory.exportEpisodes(to: .file(export))
        try await memory.forget(.text(secret), in: .domain("d"))
        #expect(try await memory.episode("e") == nil)
      }
      #expect(try String(contentsOfFile: export, encoding: .utf8).contains(secret))
      let bytes = ErasedBytes(directory: store.directory)
      let folder = store.directory.file("copies")
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
      try FileManager.default.copyItem(atPath: copy, toPath: folder + "/copy.sqlite")
      #expect(try bytes.files(under: folder, with: [secret]) == [])
      #expect(try bytes.files(under: store.path, with: [secret]) == [])
      let other = try EncryptedStore()
      _ = try await Memory.restore(copy, to: other.path)
      try await other.with(store.key) { memory async throws in
        #expect(try await memory.domainKeys().count == 1)
        #expect(try await memory.episode("e")?.context == secret)
      }
      try await other.with { memory async throws in
        #expect(await failure { _ = try await memory.episode("e") }?.code == .keyWrong)
        try await memory.forget(.domain("d"), in: .everything)
      }
    }

    @Test func `leaves records of digests, which verify with its key`() async throws {
      let store = try EncryptedStore()
      try await store.with(audit: .on(actor: "a")) { memory async throws in
        let old = try await memory.begin(.init(.testing, domain: "d", context: "before", id: "old"))
        try await memory.append(.init("step"), to: old.id)
        _ = try await memory.record(.init(.optimization, data: ["x": "y"], domain: "d"))
        try await memory.encrypt(domain: "d")
        try await memory.insert([.sample("e", domain: "d", steps: ["one", "two"])])
        try await memory.append(.init("another"), to: old.id)
        try await memory.update("e", with: .init(metadata: ["k": 1]))
        _ = try await memory.record(.init(.optimization, data: ["x": "z"], domain: "d"))
        let result = try await memory.verifyAudit(rows: true)
        #expect(result.isPassed && result.rows?.unrecorded == 0, "\(result)")
        try await memory.rotateKey(of: "d")
        #expect(try await memory.verifyAudit(rows: true).isPassed)
        let verbs = try await memory.audit().map(\.verb)
        #expect(verbs.contains("encrypt") && verbs.contains("rotate_key"))
      }
      try await store.with(withoutKey: true) { memory async throws in
        #expect(try await memory.verifyAudit().isPassed)
        #expect(await failure { _ = try await memory.verifyAudit(rows: true) }?.code == .keyMissing)
      }
      // An older text of a row opens, and is not what the record says.
      let before = try #require(try store.value("SELECT hex(sealed) FROM episodes WHERE id = 'e'"))
      try await store.with(audit: .on(actor: "a")) { try await $0.update("e", with: .init(metadata: ["k": 2])) }
      try store.shell("UPDATE episodes SET sealed = x'\(before)' WHERE id = 'e'")
      try await store.with { memory async throws in
        #expect(try await memory.verifyAudit(rows: true).findings.map(\.kind) == [.rowChanged])
      }
    }

    @Test func `keeps what was given for an idempotency key apart from guesses`() async throws {
      let store = try EncryptedStore()
      let draft = Episode.Draft(.testing, domain: "d", context: "guess")
      try await store.with { memory async throws in
        try await memory.encrypt(domain: "d")
        let first = try await memory.begin(draft, idempotencyKey: "k")
        #expect(try await memory.begin(draft, idempotencyKey: "k").id == first.id)
        let other = Episode.Draft(.testing, domain: "d", context: "another")
        #expect(await failure { _ = try await memory.begin(other, idempotencyKey: "k") }?.code == .conflict)
      }
      let open = try EncryptedStore()
      try await open.with { _ = try await $0.begin(draft, idempotencyKey: "k") }
      let digest = "SELECT hex(digest) FROM idempotency_keys"
      #expect(try store.value(digest) != open.value(digest))
    }
  }
  @Suite struct `Death during a rotation` {
    /// 100 with EPISODIC_KILLS=100.
    static let kills = ProcessInfo.processInfo.environment["EPISODIC_KILLS"].flatMap { Int($0) } ?? 5

    @Test func `loses nothing of what writers wrote, and is finished by the next one`() async throws {
      let store = try EncryptedStore()
      try await store.with { memory async throws in
        try await memory.insert(
          (0..<40).map {
            .sample(Episode.ID("e\($0)"), domain: "d", context: "plain \($0)", steps: ["plain step \($0)"])
          })
      }
      var environment = ProcessInfo.processInfo.environment
      environment["EPISODIC_KEY"] = store.key.hexadecimal
      func start(_ mode: String, _ name: String) throws -> Child {
        try Child(
          running: Child.products.appending(path: "StoreWorker").path(percentEncoded: false), [mode, store.path, name],
          environment: environment, in: store.directory)
      }
      var generator = SeededGenerator(seed: 16)
      var acknowledged: [String: Int] = [:]
      for round in 0..<Self.kills {
        let rotation = try start("seal", "d")
        try await rotation.waitForLines(round == 0 ? 1 : 2)
        let writer = try start("write-sealed", "w\(round)")
        try await writer.waitForLines(2)
        usleep(UInt32.random(in: 0...300_000, using: &generator))
        rotation.kill()
        let errors = try writer.standardError
        #expect(!writer.isOver, "\(errors)")
        writer.kill()
        #expect(try rotation.standardError == "")
        for line in try writer.lines.dropFirst() {
          let parts = line.split(separator: " ")
          acknowledged[String(parts[0])] = Int(parts[1]) ?? 0
        }
        try await store.with { memory async throws in
          for (id, steps) in acknowledged {
            let episode = try #require(try await memory.episode(Episode.ID(id)), "\(id) is lost")
            #expect(episode.context == "context \(id)" && episode.steps.count >= steps)
            #expect(episode.steps.map(\.action) == episode.steps.map { "step \($0.number) of \(id)" })
          }
          #expect(try await memory.episode("e7")?.context == "plain 7")
        }
      }
      try await store.with { memory async throws in
        try await memory.encrypt(domain: "d")
        let keys = try await memory.rotateKey(of: "d")
        let all = try await memory.domainKeys()
        #expect(keys.key.state == .current && all.allSatisfy { !$0.isConverting && $0.state != .old })
        #expect(try await memory.check().allSatisfy { $0.outcome == .passed })
      }
      for table in ["episodes", "steps"] {
        let others = """
          SELECT count(*) FROM \(table) WHERE sealed IS NULL OR substr(sealed, 2, 1) <>
              (SELECT substr(sealed, 2, 1) FROM episodes WHERE id = 'e7')
          """
        #expect(try store.value(others) == "0", "\(table)")
      }
      let bytes = ErasedBytes(directory: store.directory)
      #expect(try bytes.files(under: store.path, with: ["plain step 7", "context w0-0"]) == [])
    }
  }
#else
  @Suite struct `A build without encryption` {
    @Test func `says so, and opens everything else`() async throws {
      let store = try EncryptedStore()
      try await store.with { memory async throws in
        let error = await failure { try await memory.encrypt(domain: "d") }
        #expect(error?.code == .unavailable && error?.message.contains("trait Encryption") == true)
        try await memory.insert([.sample("e", domain: "d"), .sample("o", domain: "o")])
      }
      // What a build with it has written.
      try store.shell(
        """
        INSERT INTO domain_keys (domain, version, state, wrapped, created_at) VALUES ('d', 1, 'current', zeroblob(92), 1);
        UPDATE episodes SET sealed = x'0101000000\(String(repeating: "00", count: 60))' WHERE id = 'e';
        """)
      try await store.with { memory async throws in
        #expect(await failure { _ = try await memory.episode("e") }?.code == .unavailable)
        #expect(await failure { try await memory.insert([.sample("f", domain: "d")]) }?.code == .unavailable)
        #expect(try await memory.episode("o") != nil)
        #expect(try await memory.domainKeys().map(\.domain) == ["d"])
      }
    }
  }
#endif

@Suite struct `The key of a store` {
  @Test func `is read from a text, a file of its owner, a descriptor and the environment`() async throws {
    let directory = try TemporaryDirectory()
    let key = StoreKey.random()
    let path = directory.file("key")
    for content in [
      Data((key.hexadecimal + "\n").utf8), Data(bytes(key)), Data(Data(bytes(key)).base64EncodedString().utf8),
    ] {
      try? FileManager.default.removeItem(atPath: path)
      _ = FileManager.default.createFile(atPath: path, contents: content, attributes: [.posixPermissions: 0o600])
      #expect(try KeyProvider.file(path).provided() == key.hexadecimal)
      let handle = try #require(FileHandle(forReadingAtPath: path))
      #expect(try KeyProvider.descriptor(handle.fileDescriptor).provided() == key.hexadecimal)
    }
    for mode in [0o640, 0o604, 0o620] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
      let error = await failure { _ = try KeyProvider.file(path).provided() }
      #expect(error?.code == .invalid && error?.message.contains("0600") == true)
    }
    #expect(await failure { _ = try KeyProvider.file(directory.file("none")).provided() }?.code == .keyMissing)
    #expect(await failure { _ = try KeyProvider.environment("EPISODIC_NO_KEY").provided() }?.code == .keyMissing)
    for text in ["", "abc", key.hexadecimal + "00", String(key.hexadecimal.dropLast(2))] {
      #expect(await failure { _ = try StoreKey(text: text) }?.code == .invalid)
    }
    #expect(await failure { _ = try StoreKey(bytes: [1]) }?.code == .invalid)
    var dumped = ""
    dump(key, to: &dumped)
    #expect(!"\(key) \(dumped)".contains(key.hexadecimal.prefix(8)))
  }

  private func bytes(_ key: StoreKey) -> [UInt8] {
    let digits = Array(key.hexadecimal.utf8)
    return stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
    }
  }
}

extension KeyProvider {
  fileprivate func provided() throws -> String { try key().hexadecimal }
}
