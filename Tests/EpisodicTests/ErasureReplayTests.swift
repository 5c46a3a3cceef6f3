import Episodic
import Foundation
import GRDB
import Synchronization
import TestSupport
import Testing

@testable import MemorySQLite

@Suite struct `An erasure in a restored backup` {
  /// I8: what is in another domain stays.
  @Test(arguments: `Selections of an erasure`.selections, [Query.Scope.everything, .domain("one"), .domain("two")])
  func `takes what the same erasure takes there, also what was deleted or changed before it`(
    _ selection: Erasure.Selection, _ scope: Query.Scope
  ) async throws {
    let store = try Store()
    var generator = SeededGenerator(seed: 3)
    let memory = try await store.open {
      $0.cache.isEnabled = false
      $0.index.isEnabled = false
    }
    var copy = ErasureOracle()
    try await copy.fill(memory, &generator)
    let backup = try await memory.backUp(
      options: BackupOptions(compression: generator.next().isMultiple(of: 2) ? .none : .gzip))
    var live = copy
    try await Self.deleteAndChange(&live, memory, in: store)

    let before = live
    let policy: Erasure.PatternPolicy = generator.next().isMultiple(of: 2) ? .keep : .eraseWithoutEvidence
    live.erase(selection, scope, policy)
    let erased = (
      Set(before.episodes.keys).subtracting(live.episodes.keys),
      Set(before.patterns.keys).subtracting(live.patterns.keys)
    )
    // A text cannot be told from its digest: what was changed before stays, and the receipt names the copy.
    var among: (Set<Episode.ID>, Set<Pattern.ID>)?
    if case .text = selection {
      among = (
        Set(copy.episodes.keys).subtracting(before.episodes.keys),
        Set(copy.patterns.keys).subtracting(before.patterns.keys)
      )
    }
    let whole = copy
    copy.erase(selection, scope, policy, also: erased, among: among)
    do throws(MemoryError) {
      let receipt = try await memory.forget(selection, in: scope, patterns: policy)
      #expect(receipt.counts.episodes == erased.0.count && receipt.pending == nil)
      if copy.episodes.count < whole.episodes.count {
        #expect(receipt.backups == [URL(filePath: backup.path).lastPathComponent])
      }
    } catch {
      #expect(error.code == .notFound && copy.episodes.count == whole.episodes.count, "\(error)")
    }
    try await memory.close()
    _ = try await Memory.restore(backup.path, to: store.path)
    try await store.withMemory { memory in
      let left = try await memory.episodes(.init(), in: .everything, limit: 100).elements
      #expect(Set(left.map(\.id)) == Set(copy.episodes.keys))
      let patterns = try await memory.patterns(.init(limit: 100), in: .everything)
      #expect(Set(patterns.map(\.id)) == Set(copy.patterns.keys))
      for receipt in try await memory.receipts() { #expect(try await memory.verify(receipt.id).holds) }
    }
    try await store.expectSoundness()
  }

  /// A third is deleted, a third becomes something that no selection takes.
  private static func deleteAndChange(
    _ oracle: inout ErasureOracle, _ memory: Memory, in store: Store
  ) async throws {
    let start = Timestamp(milliseconds: 1_700_000_000_000)
    var replacements: [Episode] = []
    for number in 0..<60 {
      let id = Episode.ID("e\(number)")
      guard let episode = oracle.episodes[id] else { continue }
      if number % 3 == 0 {
        _ = try await memory.delete(id)
        oracle.episodes[id] = nil
        for pattern in oracle.patterns.keys { oracle.patterns[pattern]?.links.remove(id) }
      } else if number % 3 == 1, oracle.embeddings[id] == nil {
        func changed(in domain: String) -> Episode {
          Episode(
            id: id, taskType: .testing, domain: domain, context: "nothing", status: .completed, createdAt: start,
            completedAt: start, steps: [Step(id: Step.ID("\(id)/1"), number: 1, action: "wait", timestamp: start)])
        }
        replacements.append(changed(in: episode.domain))
        oracle.episodes[id] = changed(in: "other")
        // A link ends with the domain that it is in.
        for (pattern, value) in oracle.patterns where value.domain != nil { oracle.patterns[pattern]?.links.remove(id) }
      }
    }
    try await memory.insert(replacements, existing: .replace)
    // No verb moves an episode; another program may, which waits for what follows the last commit.
    var configuration = Configuration()
    configuration.busyMode = .timeout(10)
    let program = try DatabaseQueue(path: store.primary, configuration: configuration)
    for episode in replacements {
      try await program.write { db in
        try db.execute(
          sql: "UPDATE episodes SET domain = 'other' WHERE id = ?", arguments: [episode.id.rawValue])
      }
    }
    try program.close()
    for (place, id) in oracle.patterns.keys.sorted(by: { $0.rawValue < $1.rawValue }).enumerated()
    where place.isMultiple(of: 4) {
      _ = try await memory.delete(pattern: id)
      oracle.patterns[id] = nil
    }
  }

  @Test func `leaves what was recorded into a copy that somebody put in the place of the store`() async throws {
    let store = try Store()
    let clock = ManualClock(Timestamp(milliseconds: 1_790_000_000_000))
    func withMemory(_ body: (Memory) async throws -> Void) async throws {
      let memory = try await store.open { $0.clock = clock }
      try await body(memory)
      try await memory.close()
    }
    let copy = store.directory.file("copy.sqlite")
    try await withMemory { memory in
      try await memory.insert([.sample("old", domain: "web"), .sample("other", domain: "api")])
      // Times of an import say nothing.
      try await memory.insert([.sample("of the future", domain: "web", at: 4_000_000_000_000)])
    }
    try FileManager.default.copyItem(atPath: store.primary, toPath: copy)
    try await withMemory { memory in
      _ = try await memory.delete("of the future")
      clock.advance(by: .seconds(60))
      try await memory.forget(.domain("web"), in: .everything)
    }
    try FileManager.default.removeItem(atPath: store.primary)
    try FileManager.default.copyItem(atPath: copy, toPath: store.primary)
    try await withMemory { memory in
      clock.advance(by: .seconds(60))
      _ = try await memory.begin(.init(.testing, domain: "web", context: "after", id: "new"))
      try await memory.setRetention(RetentionPolicy(maximumEpisodes: 5), for: "web")
      clock.advance(by: .seconds(60))
      #expect(try await memory.resumeErasures().allSatisfy { $0.pending == nil })
      let ids = try await memory.episodes(.init(), in: .everything, limit: 10).elements.map(\.id)
      #expect(Set(ids) == ["new", "other"])
      #expect(try await memory.retention().domains.keys.contains("web"))
    }
  }

  @Test func `is done in another directory too, by the receipts beside the backup, which go on with the store`()
    async throws
  {
    let (store, elsewhere) = (try Store(), try Store())
    let folder = store.directory.file("elsewhere/")
    let backup = try await store.withMemory { memory in
      try await memory.insert([.sample("secret"), .sample("kept")])
      let backup = try await memory.backUp(to: folder)
      _ = try await memory.delete("secret")
      try await memory.forget(.episodes(["secret"]), in: .everything)
      return backup
    }
    let names = ["receipts.jsonl", "receipts.key"]
    // The folder learns of the erasure with the next backup.
    #expect(names.allSatisfy { !FileManager.default.fileExists(atPath: folder + $0) })
    _ = try await store.withMemory { memory in try await memory.backUp(to: folder) }
    for name in names {
      let mode = try FileManager.default.attributesOfItem(atPath: folder + name)[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
    let report = try await Memory.restore(backup.path, to: elsewhere.path)
    #expect(report.erasures == 1)
    #expect(try await elsewhere.present("secret", "kept") == ["kept"])
    // Its own backups need nothing else any more.
    try FileManager.default.removeItem(atPath: folder + "receipts.jsonl")
    _ = try await Memory.restore(backup.path, to: elsewhere.path)
    #expect(try await elsewhere.present("secret", "kept") == ["kept"])
    // From the folder of the store, too.
    let third = try Store()
    let own = store.path + "/backups/copy.sqlite"
    try FileManager.default.copyItem(atPath: backup.path, toPath: own)
    _ = try await Memory.restore(own, to: third.path)
    #expect(try await third.present("secret", "kept") == ["kept"])
  }

  @Test func `knows of an erasure that was made while the backup beside which its receipt is was written`()
    async throws
  {
    let (store, elsewhere) = (try Store(), try Store())
    let folder = store.directory.file("elsewhere/")
    let memory = try await store.open()
    try await memory.insert([.sample("secret"), .sample("kept")])
    let first = try await memory.backUp(to: folder)
    let erased = Mutex(false)
    let done = DispatchSemaphore(value: 0)
    _ = try await memory.backUp(to: folder) { progress in
      // The pages have been copied.
      guard progress.stage == .verifying,
        erased.withLock({ isErased in
          defer { isErased = true }
          return !isErased
        })
      else { return }
      Task.detached {
        _ = try? await memory.forget(.episodes(["secret"]), in: .everything)
        done.signal()
      }
      done.wait()
    }
    #expect(try await memory.receipts().count == 1)
    try await memory.close()
    for backup in try await Memory.backups(inDirectory: folder) {
      #expect(try await Memory.restore(backup.path, to: elsewhere.path).erasures == 1)
      #expect(try await elsewhere.present("secret", "kept") == ["kept"])
    }
    #expect(first.kind == .backup)
  }

  @Test func `does nothing to another store that was restored from the same backup, also if a restore fails`()
    async throws
  {
    let (store, other) = (try Store(), try Store())
    let folder = store.directory.file("elsewhere/")
    let backup = try await store.withMemory { memory in
      try await memory.insert([.sample("kept")])
      return try await memory.backUp(to: folder)
    }
    _ = try await Memory.restore(backup.path, to: other.path)
    try await other.withMemory { memory in
      try await memory.forget(.everything, in: .everything)
      _ = try await memory.backUp(to: folder)
    }
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let writer = try DatabaseQueue(path: store.primary, configuration: configuration)
    try await writer.writeWithoutTransaction { db in try db.beginTransaction(.immediate) }
    var options = RestoreOptions()
    options.busyTimeout = .milliseconds(100)
    await #expect(throws: MemoryError.self) { try await Memory.restore(backup.path, to: store.path, options: options) }
    try await writer.writeWithoutTransaction { db in try db.rollback() }
    try writer.close()
    _ = try await store.withMemory { memory in try await memory.maintain() }
    #expect(try await store.present("kept") == ["kept"])
    #expect(try await Memory.restore(backup.path, to: store.path).erasures == 0)
    #expect(try await store.present("kept") == ["kept"])
  }

  @Test func `is done though the backup has no key of receipts and the store that had it is lost`() async throws {
    let fixture = try EarlierStoreFixture(version: 10)
    let backup = fixture.directory.file("memory-old.sqlite")
    try FileManager.default.copyItem(atPath: fixture.database, toPath: backup)
    try await fixture.open().close()
    // From here on the store has another identity than the backup.
    _ = try await Memory.restore(backup, to: fixture.path)
    let memory = try await fixture.open()
    let id = try #require(try await memory.episodes(.init(), in: .everything, limit: 1).elements.first?.id)
    try await memory.forget(.episodes([id]), in: .everything)
    try await memory.close()
    for name in ["memory.sqlite", "memory.sqlite-lock"] {
      try? FileManager.default.removeItem(atPath: fixture.path + "/" + name)
    }
    #expect(try await Memory.restore(backup, to: fixture.path).erasures == 1)
    let restored = try await fixture.open()
    #expect(try await restored.episode(id) == nil)
    try await restored.close()
  }

  @Test func `takes what an import had dated after the erasure, since a copy has nothing of after it`() async throws {
    let store = try Store()
    let clock = ManualClock(Timestamp(milliseconds: 1_790_000_000_000))
    let memory = try await store.open { $0.clock = clock }
    let soon = clock.now().adding(.seconds(3600)).milliseconds
    try await memory.insert([
      .sample("dated ahead", domain: "web", at: soon), .sample("old", domain: "web"), .sample("kept", domain: "api"),
    ])
    let backup = try await memory.backUp()
    _ = try await memory.delete("dated ahead")
    clock.advance(by: .seconds(60))
    try await memory.forget(.domain("web"), in: .everything)
    try await memory.close()
    clock.advance(by: .seconds(7200))
    var options = RestoreOptions()
    options.clock = clock
    #expect(try await Memory.restore(backup.path, to: store.path, options: options).erasures == 1)
    #expect(try await store.present("dated ahead", "old", "kept") == ["kept"])
    let target = store.directory.file("salvaged")
    _ = try await Memory.salvage(from: backup.path, to: target)
    let salvaged = try await Memory.open(at: target)
    #expect(try await salvaged.episodes(.init(), in: .everything, limit: 9).elements.map(\.id) == ["kept"])
    try await salvaged.close()
  }

  @Test func `takes what was deleted before it also if the clock was set back after the backup`() async throws {
    let store = try Store()
    let clock = ManualClock(Timestamp(milliseconds: 1_790_000_000_000))
    let memory = try await store.open { $0.clock = clock }
    clock.advance(by: .seconds(7200))
    for (id, domain) in [("deleted", "web"), ("old", "web"), ("kept", "api")] {
      _ = try await memory.begin(.init(.testing, domain: domain, context: "c", id: Episode.ID(id)))
    }
    let backup = try await memory.backUp()
    clock.advance(by: .seconds(-7200))
    _ = try await memory.delete("deleted")
    try await memory.forget(.domain("web"), in: .everything)
    try await memory.close()
    clock.advance(by: .seconds(14_400))
    var options = RestoreOptions()
    options.clock = clock
    // By the clock the backup is of after the erasure, and what it has, too.
    #expect(try await Memory.restore(backup.path, to: store.path, options: options).erasures == 1)
    #expect(try await store.present("deleted", "old", "kept") == ["kept"])
    // The restored store goes on with the history of the backup.
    #expect(try await Memory.restore(backup.path, to: store.path, options: options).erasures == 1)
    #expect(try await store.present("deleted", "old", "kept") == ["kept"])
  }

  @Test func `of a source takes what was derived from it in the copy, and nothing whose id is a word for a source`()
    async throws
  {
    func episode(_ id: Episode.ID, _ provenance: Provenance, domain: String = "web", parents: [Episode.ID] = [])
      -> Episode
    {
      Episode(
        id: id, taskType: .testing, domain: domain, context: "a task",
        createdAt: Timestamp(milliseconds: 1_767_225_600_000),
        provenance: provenance, parents: parents)
    }
    let store = try Store()
    let backup = try await store.withMemory { memory in
      try await memory.insert([
        episode("page", Provenance(.web, id: "evil.example")),
        episode("summary", Provenance(.agent), parents: ["page"]),
        episode("plan", Provenance(), parents: ["summary"]), episode("named", Provenance(.user, id: "web")),
        episode("elsewhere", Provenance(), domain: "other", parents: ["page"]),
      ])
      let backup = try await memory.backUp()
      // What was made of the page is gone before the page is erased.
      try await memory.delete("summary")
      try await memory.delete("plan")
      let receipt = try await memory.forget(.source("web"), in: .domain("web"))
      #expect(receipt.counts.episodes == 1)
      return backup
    }
    #expect(try await Memory.restore(backup.path, to: store.path).erasures == 1)
    #expect(try await store.present("page", "summary", "plan", "named", "elsewhere") == ["named", "elsewhere"])
    try await store.expectSoundness()
  }

  @Test func `of a source takes nothing that was derived in the copy from what came from elsewhere there`() async throws
  {
    func episode(_ id: Episode.ID, _ source: Provenance.Source, parents: [Episode.ID] = []) -> Episode {
      Episode(
        id: id, taskType: .testing, domain: "web", context: "a task",
        createdAt: Timestamp(milliseconds: 1_767_225_600_000), provenance: Provenance(source), parents: parents)
    }
    let store = try Store()
    let backup = try await store.withMemory { memory in
      try await memory.insert([
        episode("note", .agent), episode("plan", .agent, parents: ["note"]), episode("page", .web),
        episode("summary", .agent, parents: ["page"]), episode("report", .agent, parents: ["summary"]),
      ])
      let backup = try await memory.backUp()
      // Another note from a page, of which the plan has nothing; the report is gone before the page is erased.
      try await memory.insert([episode("note", .web), episode("plan", .agent)], existing: .replace)
      try await memory.delete("report")
      #expect(try await memory.forget(.source("web"), in: .everything).counts.episodes == 3)
      return backup
    }
    #expect(try await Memory.restore(backup.path, to: store.path).erasures == 1)
    #expect(try await store.present("note", "plan", "page", "summary", "report") == ["plan"])
    try await store.expectSoundness()
  }

  @Test func `takes an episode that retention was deleting when the copy was made`() async throws {
    let store = try Store()
    let backup = try await store.withMemory { memory in
      var other = Episode.sample("of the session")
      other.session = "s"
      try await memory.insert([.sample("deleted", context: "the hidden word"), other, .sample("kept")])
      return try await memory.backUp()
    }
    // As a deletion leaves it that is cut short after its first slice.
    for path in [backup.path, store.primary] {
      let program = try DatabaseQueue(path: path)
      try await program.write { db in
        try db.execute(
          sql: "UPDATE episodes SET domain = char(1) || 'deleted', session = NULL WHERE id = 'deleted'")
      }
      try program.close()
    }
    try FileManager.default.removeItem(atPath: backup.path.replacing(".sqlite", with: ".json"))
    try await store.withMemory { memory in _ = try await memory.forget(.session("s"), in: .everything) }
    #expect(try await Memory.restore(backup.path, to: store.path).erasures == 1)
    let program = try DatabaseQueue(path: store.primary)
    let ids = try await program.read { db in try String.fetchAll(db, sql: "SELECT id FROM episodes") }
    try program.close()
    #expect(ids == ["kept"])
    let bytes = ErasedBytes(directory: store.directory)
    #expect(try bytes.files(under: store.path, with: ["the hidden word"], excluding: "backups/") == [])
  }

  @Test func `is done in a salvaged store, and its receipt goes on with that`() async throws {
    let store = try Store()
    let backup = try await store.withMemory { memory in
      try await memory.insert([.sample("secret", context: "the hidden word of before"), .sample("kept")])
      let backup = try await memory.backUp()
      _ = try await memory.delete("secret")
      try await memory.forget(.text("hidden word"), in: .everything)
      return backup
    }
    let target = store.directory.file("salvaged")
    let report = try await Memory.salvage(from: backup.path, to: target)
    #expect(report.failedChecks.isEmpty && report.isComplete, "\(report)")
    let memory = try await Memory.open(at: target)
    #expect(try await memory.episode("secret") == nil)
    #expect(try await memory.episode("kept") != nil)
    let receipts = try await memory.receipts()
    #expect(receipts.count == 1 && receipts[0].cleanedAt != nil)
    try await memory.close()
    #expect(try ReceiptFile(in: target + "/backups").receipts().count == 1)
    #expect(try ErasedBytes(directory: store.directory).files(under: target, with: ["the hidden word of before"]) == [])
  }
}

/// The stages of an erasure that were reported.
private final class Stages: Sendable {
  private let noted = Mutex<[Erasure.Progress.Stage]>([])
  var all: [Erasure.Progress.Stage] { noted.withLock { $0 } }
  func note(_ stage: Erasure.Progress.Stage) { noted.withLock { $0.append(stage) } }
}

@Suite struct `An erasure of what is gone` {
  @Test func `is done for the copies that have it, and of nothing else is there a receipt`() async throws {
    let store = try Store()
    try await store.withMemory { memory in
      try await memory.insert([.sample("e1", context: "a word of its own: zanzibar"), .sample("e2")])
      let backup = try await memory.backUp(options: BackupOptions(compression: .gzip))
      _ = try await memory.delete("e1")
      let name = URL(filePath: backup.path).lastPathComponent
      let receipt = try await memory.forget(.text("zanzibar"), in: .everything)
      #expect(receipt.counts.episodes == 0 && receipt.backups == [name] && receipt.cleanedAt != nil)
      let times = Timestamp(milliseconds: 0)..<Timestamp(milliseconds: 9)
      await #expect(throws: MemoryError.self) { try await memory.forget(.created(times), in: .everything) }
      await #expect(throws: MemoryError.self) { try await memory.forget(.text("zanzibar"), in: .domain("web")) }
      let receipts = try await memory.receipts()
      #expect(receipts.count == 1)
      // The copy is named as long as it is there.
      #expect(try await memory.verify(receipts[0].id).backups == [name])
      try FileManager.default.removeItem(atPath: backup.path)
      #expect(try await memory.verify(receipts[0].id).backups == [])
    }
  }

  @Test func `names a copy whose text was changed before, which a restore brings back`() async throws {
    let store = try Store()
    let backup = try await store.withMemory { memory in
      try await memory.insert([.sample("e1", context: "a word of its own: zanzibar"), .sample("e2")])
      let backup = try await memory.backUp()
      try await memory.update("e1", with: .init(context: "without it"))
      let receipt = try await memory.forget(.text("zanzibar"), in: .everything)
      #expect(receipt.backups == [URL(filePath: backup.path).lastPathComponent] && receipt.counts.episodes == 0)
      #expect(try await memory.episode("e1")?.context == "without it")
      return backup
    }
    _ = try await Memory.restore(backup.path, to: store.path)
    #expect(try await store.present("e1", "e2") == ["e1", "e2"])
  }

  enum WayOfGoing: CaseIterable { case deletion, change, retention }

  @Test(arguments: WayOfGoing.allCases, [Erasure.Selection.text("zanzibar4711xq"), .session("of the secret")])
  func `leaves no byte of it in the files of the store, though there is no receipt`(
    _ way: WayOfGoing, _ selection: Erasure.Selection
  ) async throws {
    let store = try Store()
    let clock = ManualClock()
    let secret = "zanzibar4711xq"
    let memory = try await store.open { $0.clock = clock }
    var episode = Episode.sample(
      "e1", context: "with \(secret)", steps: ["say \(secret)"], at: clock.now().milliseconds)
    episode.session = "of the secret"
    try await memory.insert([.sample("e2"), episode])
    #expect(try await memory.recall(Query(text: secret, scope: .everything)).first?.episode.id == "e1")
    _ = try await memory.episode("e1")
    switch way {
    case .deletion: _ = try await memory.delete("e1")
    case .change: try await memory.insert([.sample("e1")], existing: .replace)
    case .retention:
      clock.advance(by: .seconds(5 * 86_400))
      let week = RetentionPolicy(archiveAfter: .seconds(86_400), deleteArchivedAfter: .seconds(86_400))
      _ = try await memory.setRetention(week, for: "swift")
      _ = try await memory.applyRetention(acceptingClock: true)
    }
    let bytes = ErasedBytes(directory: store.directory)
    #expect(try !bytes.files(under: store.path, with: [secret]).isEmpty)
    let dry = await #expect(throws: MemoryError.self) {
      try await memory.forget(selection, in: .everything, dryRun: true)
    }
    #expect(dry?.code == .notFound && dry?.message.hasSuffix("nothing was erased") == true)
    let error = await #expect(throws: MemoryError.self) { try await memory.forget(selection, in: .everything) }
    #expect(error?.code == .notFound && error?.message.contains("has left nothing in the files") == true)
    #expect(try bytes.files(under: store.path, with: [secret]) == [])
    #expect(try await memory.receipts().isEmpty)
    try await memory.close()
    #expect(try bytes.files(under: store.path, with: [secret]) == [])
    try await store.expectSoundness()
  }

  @Test func `by its id leaves no copy of its text in the gap of a page`() async throws {
    let store = try Store()
    let secrets = (0..<40).map { "secret number \($0 + 1000) of them" }
    try await store.withMemory { memory in
      for (number, secret) in secrets.enumerated() {
        try await memory.insert([
          .sample(Episode.ID("e\(number)"), context: secret + String(repeating: " x", count: 400))
        ])
      }
      for number in secrets.indices { _ = try await memory.delete(Episode.ID("e\(number)")) }
      let stages = Stages()
      let ids = secrets.indices.map { Episode.ID("e\($0)") }
      let receipt = try await memory.forget(.episodes(ids), in: .everything) { stages.note($0.stage) }
      // Nobody knows the texts any more, so the gaps cannot be searched for them.
      #expect(receipt.counts.episodes == 0 && stages.all.contains(.rewrite))
    }
    #expect(try ErasedBytes(directory: store.directory).files(under: store.path, with: secrets) == [])
  }

  @Test func `is done for a copy of an earlier schema, and one that cannot be searched is named`() async throws {
    let fixture = try EarlierStoreFixture(version: 10)
    let memory = try await fixture.open()
    let episode = try #require(try await memory.episodes(.init(), in: .everything, limit: 1).elements.first)
    _ = try await memory.delete(episode.id)
    let copy = try #require(try fixture.backups().first { $0.hasSuffix(".sqlite") })
    let receipt = try await memory.forget(.text(episode.context), in: .everything)
    #expect(receipt.backups == [copy])
    #expect(try fixture.backups().filter { $0.contains("searched") } == [])
    try Data("cut".utf8).write(to: URL(filePath: fixture.path + "/backups/memory-3.sqlite"))
    for isDryRun in [true, false] {
      let error = await #expect(throws: MemoryError.self) {
        try await memory.forget(.text("no such text"), in: .everything, dryRun: isDryRun)
      }
      #expect(error?.code == .notFound && error?.message.contains("memory-3.sqlite") == true, "\(error?.message ?? "")")
      #expect(error?.message.contains(copy) == false && error?.message.contains("no such text") == false)
    }
    try await memory.close()
    _ = try await Memory.restore(fixture.path + "/backups/" + copy, to: fixture.path)
    let restored = try await fixture.open()
    #expect(try await restored.episode(episode.id) == nil)
    try await restored.close()
  }

  @Test func `of a domain leaves its name in no file, and whoever watches the domain is told`() async throws {
    let store = try Store()
    let name = "domain-of-the-client-4711"
    let memory = try await store.open()
    try await memory.insert([.sample("a", domain: name, steps: ["x"]), .sample("b", domain: "two")])
    _ = try await memory.record(Pattern.Draft(.optimization, data: ["a": 1], domain: name))
    _ = try await memory.begin(.init(.testing, domain: name, context: "c", id: "c"), idempotencyKey: "k")
    _ = try await memory.delete("c")
    try await memory.setRetention(RetentionPolicy(maximumEpisodes: 9), for: name)
    try await memory.setRetention(RetentionPolicy(maximumEpisodes: 8), for: "two")
    let backup = try await memory.backUp(to: store.directory.file("elsewhere/"))
    let cursor = try await memory.changeCursor()
    let receipt = try await memory.forget(.domain(name), in: .domain(name))
    #expect(receipt.counts.episodes == 1 && receipt.counts.patterns == 1 && receipt.counts.idempotencyKeys == 1)
    #expect(try await Array(memory.retention().domains.keys) == ["two"])
    let ofDomain = try await memory.committedChanges(after: cursor, in: .domain(name), limit: 100).batch.changes
    let wanted = MemoryChange.Subject.erased(.episode, try await memory.erasureDigest(.episode, of: "a"))
    #expect(ofDomain.map(\.subject).contains(wanted) && ofDomain.allSatisfy { $0.domain == name })
    let ofAll = try await memory.committedChanges(after: cursor, in: .everything, limit: 100).batch.changes
    #expect(ofAll.map(\.subject) == ofDomain.map(\.subject) && ofAll.allSatisfy { $0.domain == nil })
    #expect(try await memory.committedChanges(after: cursor, in: .domain("two"), limit: 100).batch.changes.isEmpty)
    try await memory.close()
    let bytes = ErasedBytes(directory: store.directory)
    #expect(try bytes.files(under: store.path, with: [name]) == [])
    _ = try await Memory.restore(backup.path, to: store.path)
    try await store.expectSoundness()
    #expect(try bytes.files(under: store.path, with: [name], excluding: "backups/replaced") == [])
    #expect(try await store.present("a", "b") == ["b"])
  }

  @Test func `of everything leaves no name and no id in the feed`() async throws {
    let memory = try await Memory.inMemory()
    try await memory.insert([.sample("a", domain: "one"), .sample("b", domain: "two")])
    _ = try await memory.delete("a")
    _ = try await memory.record(Pattern.Draft(.optimization, data: ["a": 1]))
    try await memory.setRetention(RetentionPolicy(maximumEpisodes: 9), for: "two")
    try await memory.setRetention(RetentionPolicy(maximumEpisodes: 9))
    try await memory.forget(.everything, in: .everything)
    #expect(try await memory.retention() == RetentionPolicies(standard: RetentionPolicy(maximumEpisodes: 9)))
    let changes = try await memory.committedChanges(after: .beginning, in: .everything, limit: 100).batch.changes
    #expect(changes.count == 2 && changes.allSatisfy { $0.domain == nil && $0.kind == .deleted }, "\(changes)")
  }

  @Test func `is refused before anything is erased if the folder of backups is a link`() async throws {
    let store = try Store()
    try await store.withMemory { memory in
      try await memory.insert([.sample("e1")])
      try FileManager.default.createSymbolicLink(
        atPath: store.path + "/backups", withDestinationPath: store.directory.path)
      let error = await #expect(throws: MemoryError.self) {
        try await memory.forget(.episodes(["e1"]), in: .everything)
      }
      #expect(error?.message.contains("backups") == true && error?.message.hasSuffix("nothing was erased") == true)
      #expect(try await memory.episode("e1") != nil)
    }
  }
}

@Suite(.enabled(if: Host.canMount, "only root can mount a read-only folder"))
struct `An erasure without room for its receipt` {
  @Test func `is cleaned all the same, says so, and the receipt is kept later`() async throws {
    let store = try Store()
    let backups = store.path + "/backups"
    try await store.withMemory { memory in try await memory.insert([.sample("e1", context: "the hidden word")]) }
    try FileManager.default.createDirectory(atPath: backups, withIntermediateDirectories: true)
    func run(_ command: String) throws {
      let status = try Child(running: "/bin/sh", ["-c", command], in: store.directory).wait()
      #expect(status == 0)
    }
    try run("mount -t tmpfs -o ro,mode=700 tmpfs '\(backups)'")
    defer { try? run("umount -l '\(backups)' 2>/dev/null || true") }
    try await store.withMemory { memory in
      let receipt = try await memory.forget(.episodes(["e1"]), in: .everything)
      #expect(receipt.cleanedAt != nil && receipt.pending?.contains("receipts") == true, "\(receipt)")
    }
    #expect(try ErasedBytes(directory: store.directory).files(under: store.path, with: ["the hidden word"]) == [])
    try run("umount '\(backups)'")
    let resumed = try await store.withMemory { memory in try await memory.resumeErasures() }
    #expect(resumed.isEmpty)
    #expect(try ReceiptFile(in: backups).receipts().count == 1)
  }
}
