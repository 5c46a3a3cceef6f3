import Episodic
import Foundation
import GRDB
import TestSupport
import Testing

private func failure(_ body: () async throws -> Void) async -> MemoryError? {
  do { try await body() } catch { return error as? MemoryError }
  return nil
}

#if Encryption
  @Suite struct `An encrypted domain in use` {
    private static let secret = "zebracrossing"

    // MARK: Files of episodes

    private static func episodes(_ domain: String) -> [Episode] {
      (0..<25).map { number in
        var episode = Episode.sample(
          Episode.ID("\(domain)-\(number)"), domain: domain, context: "context \(secret) \(number)",
          steps: ["first \(secret) of \(number)", "second"], at: 1_767_225_600_000 + Int64(number) * 1000)
        episode.metadata = ["note": .string("\(secret) \(number)"), "number": .integer(Int64(number))]
        return episode
      }
    }

    private static func lines(_ path: String) throws -> [String] {
      try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init).sorted()
    }

    @Test func `is imported into, exported, and imported again without a difference, and no text is in the files`()
      async throws
    {
      let plain = try EncryptedStore()
      let first = plain.directory.file("first.jsonl")
      try await plain.with { memory async throws in
        try await memory.insert(Self.episodes("d") + Self.episodes("open"))
        #expect(try await memory.exportEpisodes(to: .file(first)) == 50)
      }
      var path = first
      for _ in 0..<2 {
        let store = try EncryptedStore()
        let next = store.directory.file("next.jsonl")
        try await store.with { memory async throws in
          try await memory.encrypt(domain: "d")
          #expect(try await memory.importEpisodes(from: [.file(path)]).imported == 50)
          #expect(try await memory.exportEpisodes(to: .file(next)) == 50)
          let query = Query(text: "\(Self.secret) 7", scope: .domain("d"))
          #expect(try await memory.recall(query).first?.episode.id == "d-7")
        }
        #expect(try Self.lines(next) == Self.lines(first))
        #expect(try store.value("SELECT count(*) FROM episodes WHERE (sealed IS NULL) = (domain = 'd')") == "0")
        let texts = ["context \(Self.secret)", "first \(Self.secret) of"]
        #expect(
          try ErasedBytes(directory: store.directory).files(under: store.path, with: texts).isEmpty == false,
          "the open domain has them")
        try await store.with { memory async throws in try await memory.forget(.domain("open"), in: .everything) }
        #expect(try ErasedBytes(directory: store.directory).files(under: store.path, with: texts) == [])
        // The next store imports what this one has exported.
        path = plain.directory.file("exported.jsonl")
        if !FileManager.default.fileExists(atPath: path) {
          try FileManager.default.moveItem(atPath: next, toPath: path)
        }
      }
    }

    @Test func `is neither imported into nor exported without its key, and an export leaves no file`() async throws {
      let store = try EncryptedStore()
      let source = store.directory.file("source.jsonl")
      let target = store.directory.file("target.jsonl")
      try await store.with { memory async throws in
        try await memory.insert(Self.episodes("d"))
        try await memory.exportEpisodes(to: .file(source))
        try await memory.encrypt(domain: "d")
      }
      try await store.with(withoutKey: true) { memory async throws in
        let refused = await failure {
          _ = try await memory.importEpisodes(from: [.file(source)], options: .init(existing: .replace))
        }
        #expect(refused?.code == .keyMissing, "\(String(describing: refused))")
        #expect(await failure { try await memory.exportEpisodes(to: .file(target)) }?.code == .keyMissing)
        #expect(!FileManager.default.fileExists(atPath: target))
      }
      try await store.with { memory async throws in
        #expect(try await memory.exportEpisodes(to: .file(target)) == 25)
      }
      #expect(try Self.lines(target) == Self.lines(source))
    }

    // MARK: Learning

    /// With actions that no other domain has.
    private static func looking(_ domain: String, _ word: String) -> [Episode] {
      LookingEpisodes.episodes(domain: domain).map { episode in
        var episode = episode
        episode.steps = episode.steps.map { step in
          var step = step
          step.action = step.action.replacing("look", with: word)
          return step
        }
        return episode
      }
    }

    private static func learned(_ memory: Memory, in domain: String) async throws -> Set<String> {
      Set(try await memory.patterns(.init(limit: 100), in: .domain(domain)).map(\.data.canonicalText))
    }

    @Test func `loses in a restored backup what its metadata were erased by, and without its key nothing is restored`()
      async throws
    {
      let store = try EncryptedStore()
      func episode(_ id: Episode.ID, customer: Int64) -> Episode {
        Episode(
          id: id, taskType: .testing, domain: "d", context: "a task",
          createdAt: Timestamp(milliseconds: 1_767_225_600_000), metadata: .object(["customer": .integer(customer)]))
      }
      let backup = try await store.with { memory async throws in
        try await memory.encrypt(domain: "d")
        try await memory.insert([
          episode("gone", customer: 7), episode("other", customer: 7), episode("kept", customer: 8),
        ])
        let backup = try await memory.backUp()
        // Deleted before the erasure, which therefore does not name it.
        try await memory.delete("gone")
        try await memory.forget(.metadata(path: ["customer"], 7), in: .everything)
        return backup
      }
      let refused = await failure { _ = try await Memory.restore(backup.path, to: store.path) }
      #expect(refused?.code == .keyMissing, "\(String(describing: refused))")
      var options = RestoreOptions()
      options.key = .key(store.key)
      #expect(try await Memory.restore(backup.path, to: store.path, options: options).erasures == 1)
      try await store.with { memory async throws in
        #expect(try await memory.episodes(in: .everything).elements.map(\.id) == ["kept"])
      }
    }

    @Test(arguments: [false, true]) func `is not learned from, and others are as if it were not there`(
      learnsBefore: Bool
    ) async throws {
      let alone = try EncryptedStore()
      let expected = try await alone.with { memory async throws in
        try await memory.insert(Self.looking("e", "peek"))
        try await memory.learn()
        return try await Self.learned(memory, in: "e")
      }
      #expect(!expected.isEmpty)
      let store = try EncryptedStore()
      try await store.with { memory async throws in
        if learnsBefore {
          try await memory.insert(Self.looking("d", Self.secret))
          try await memory.learn()
          #expect(try await Self.learned(memory, in: "d").contains { $0.contains(Self.secret) })
        }
        try await memory.encrypt(domain: "d")
        if !learnsBefore { try await memory.insert(Self.looking("d", Self.secret)) }
        try await memory.insert(Self.looking("e", "peek"))
        try await memory.learn()
        #expect(try await Self.learned(memory, in: "e") == expected)
        #expect(try await Self.learned(memory, in: "d").isEmpty)
        #expect(try await memory.advise(for: LookingEpisodes.running(domain: "d")).isEmpty)
        try await memory.rebuild { _ in }
        try await memory.learn()
        #expect(try await Self.learned(memory, in: "d").isEmpty)
      }
      let traces = "FROM run_traces t JOIN episodes e ON e.id = t.episode_id WHERE e.domain = 'd'"
      #expect(try store.value("SELECT count(*) \(traces)") == "0")
      #expect(try ErasedBytes(directory: store.directory).files(under: store.path, with: [Self.secret]) == [])
    }

    // MARK: The ledger

    private static func finish(_ ledger: Ledger, domain: String) async throws -> Episode.ID {
      var task = Ledger.Task.Draft("repair", domain: domain)
      task.request = "request \(secret)"
      let added = try await ledger.add(task).task
      var run = Ledger.Run.Draft(.debugging, domain: domain)
      run.task = added.id
      run.status = .executing
      let started = try await ledger.start(run)
      try await ledger.add(
        Ledger.ToolCall.Draft("shell", arguments: ["command": "swift test"], result: "result \(secret)", success: true),
        to: started.id)
      return Episode.ID(try await ledger.finish(run: started.id, as: .completed).id.rawValue)
    }

    @Test func `gets runs of a ledger encrypted, and without its key they wait, and no others for them`() async throws {
      let store = try EncryptedStore()
      func open(withKey: Bool, byItself: Bool = false) async throws -> AgentStore {
        var options = AgentStore.OpenOptions()
        options.consolidatesByItself = byItself
        options.memory.key = withKey ? .key(store.key) : nil
        return try await AgentStore.open(at: store.path, options: options)
      }
      var agent = try await open(withKey: true)
      try await agent.memory.encrypt(domain: "d")
      let first = try await Self.finish(agent.ledger, domain: "d")
      #expect(try await agent.consolidate().episodes == [first])
      #expect(try await agent.memory.episode(first)?.context == "request \(Self.secret)")
      #expect(try await agent.memory.episode(first)?.steps.first?.result == "result \(Self.secret)")
      try await agent.close()

      agent = try await open(withKey: false, byItself: true)
      let waiting = try await Self.finish(agent.ledger, domain: "d")
      var draft = Ledger.Run.Draft(.testing, domain: "open", context: "in plain")
      draft.status = .executing
      let other = try await agent.ledger.start(draft)
      try await agent.ledger.finish(run: other.id, as: .completed)
      let report = try await agent.consolidate()
      #expect(report.failures.map(\.run.rawValue) == [waiting.rawValue])
      #expect(report.failures.allSatisfy { $0.reason.contains("\"d\"") }, "\(report.failures)")
      #expect(try await agent.memory.episode(Episode.ID(other.id.rawValue)) != nil)
      try await agent.close()

      agent = try await open(withKey: true)
      #expect(try await agent.consolidate().episodes == [waiting])
      #expect(try await agent.memory.episodes(in: .domain("d")).elements.count == 2)
      try await agent.close()
      #expect(try store.value("SELECT count(*) FROM episodes WHERE (sealed IS NULL) = (domain = 'd')") == "0")
      // The ledger itself is not encrypted.
      let files = try ErasedBytes(directory: store.directory).files(
        under: store.path, with: ["request \(Self.secret)", "result \(Self.secret)"])
      #expect(!files.isEmpty && files.allSatisfy { $0.contains("ledger.sqlite") }, "\(files)")
    }

    @Test func `gets the selectors of signals when its key is there, and an agent's store is closed without`()
      async throws
    {
      let store = try EncryptedStore()
      func open(withKey: Bool) async throws -> AgentStore {
        var options = AgentStore.OpenOptions()
        options.memory.key = withKey ? .key(store.key) : nil
        return try await AgentStore.open(at: store.path, options: options)
      }
      var agent = try await open(withKey: true)
      try await agent.memory.encrypt(domain: "d")
      try await agent.close()
      agent = try await open(withKey: false)
      for domain in ["d", "open"] {
        try await agent.ledger.record(Ledger.Signal.Draft("#login", type: .css, success: true, domain: domain))
      }
      let refused = await failure { try await agent.consolidate() }
      #expect(refused?.code == .keyMissing, "\(String(describing: refused))")
      #expect(try await agent.memory.patterns(.init(), in: .domain("open")).count == 1)
      #expect(await failure { try await agent.close() }?.code == .keyMissing)
      #expect(await failure { _ = try await agent.memory.episode("any") } != nil, "it is closed")
      agent = try await open(withKey: true)
      try await agent.consolidate()
      for domain in ["d", "open"] { #expect(try await agent.memory.patterns(.init(), in: .domain(domain)).count == 1) }
      try await agent.close()
    }

    // MARK: Backups

    @Test func `stays unreadable when a backup of before its key was destroyed is restored over it`() async throws {
      let store = try EncryptedStore()
      let copy = store.directory.file("copy.sqlite")
      try await store.with(audit: .on(actor: "a")) { memory async throws in
        for domain in ["d", "other"] { try await memory.encrypt(domain: domain) }
        try await memory.insert([.sample("e", domain: "d"), .sample("o", domain: "other"), .sample("p")])
        _ = try await memory.backUp(to: copy)
        try await memory.rotateKey(of: "d")
        try await memory.rotateKey(of: "other")
        try await memory.destroyKey(of: "d")
      }
      let elsewhere = try EncryptedStore()
      _ = try await Memory.restore(copy, to: elsewhere.path)
      _ = try await Memory.restore(copy, to: store.path)
      try await store.with { memory async throws in
        #expect(await failure { _ = try await memory.episode("e") }?.code == .keyDestroyed)
        #expect(await failure { try await memory.insert([.sample("f", domain: "d")]) }?.code == .keyDestroyed)
        #expect(try await memory.episode("o") != nil)
        #expect(try await memory.episode("p") != nil)
        #expect(try await memory.domainKeys().map(\.state) == [.destroyed, .current])
        #expect(try await memory.verifyAudit().isPassed)
        // A new life of the domain has a new key, which later backups keep.
        try await memory.forget(.domain("d"), in: .everything)
        try await memory.encrypt(domain: "d")
        try await memory.insert([.sample("new", domain: "d")])
        _ = try await memory.backUp(to: copy + "-2")
        try await memory.rotateKey(of: "d")
      }
      _ = try await Memory.restore(copy + "-2", to: store.path)
      try await store.with { memory async throws in #expect(try await memory.episode("new") != nil) }
      // Another directory knows nothing of it: there the backup has its keys, for who has the key of the store.
      try await elsewhere.with(store.key) { memory async throws in #expect(try await memory.episode("e") != nil) }
    }

    @Test func `is named as what could not be searched if a copy has it when a text is erased`() async throws {
      let store = try EncryptedStore()
      try await store.with { memory async throws in
        try await memory.encrypt(domain: "d")
        let text = "context \(Self.secret)"
        try await memory.insert([
          .sample("gone", domain: "d", context: text), .sample("here", domain: "d", context: text),
          .sample("open", domain: "open", context: text),
        ])
        let backup = try await memory.backUp()
        let name = URL(filePath: backup.path).lastPathComponent
        try await memory.delete("gone")
        try await memory.delete("open")
        // The copy is searched where it can be.
        let ofOpen = try await memory.forget(.text(Self.secret), in: .domain("open"))
        #expect(ofOpen.counts.episodes == 0 && ofOpen.backups == [name])
        let ofAll = try await memory.forget(.text(Self.secret), in: .everything)
        #expect(ofAll.counts.episodes == 1 && ofAll.backups == [name], "\(ofAll)")
        try await memory.insert([.sample("more", domain: "third", context: text)])
        #expect(try await memory.forget(.text(Self.secret), in: .domain("third")).backups == [])
      }
    }
  }
#endif
