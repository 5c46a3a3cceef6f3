import Episodic
import Foundation
import GRDB
import TestSupport
import Testing

#if Encryption
  @Suite struct `Salvage of encrypted domains` {
    private static func open(_ path: String, _ key: StoreKey?) async throws -> Memory {
      var options = Memory.OpenOptions()
      options.key = key.map { .key($0) }
      return try await Memory.open(at: path, options: options)
    }

    /// What everyone with the key sees.
    private static func content(_ path: String, _ key: StoreKey, domain: String = "web") async throws -> [Episode] {
      let memory = try await open(path, key)
      let episodes = try await memory.episodes(.init(), in: .domain(domain), limit: 100).elements
      var whole: [Episode] = []
      for episode in episodes { if let read = try await memory.episode(episode.id) { whole.append(read) } }
      try await memory.close()
      return whole
    }

    private static func failure(_ body: () async throws -> Void) async -> MemoryError? {
      do { try await body() } catch { return error as? MemoryError }
      return nil
    }

    @Test func `needs no key, copies every row as it is, and the new store answers the same with the key`() async throws
    {
      let store = try await SalvageCase(encrypting: ["web"])
      let report = try await Memory.salvage(from: store.original, to: store.salvaged)
      #expect(report.isComplete && report.losses.isEmpty && report.failedChecks.isEmpty, "\(report)")
      #expect(try SalvageCase.rows(of: store.salvaged) == SalvageCase.rows(of: store.original))
      let before = try await Self.content(store.original, store.key)
      #expect(before.count > 20)
      #expect(try await Self.content(store.salvaged, store.key) == before)
      var answers: [[Hit]] = []
      for path in [store.original, store.salvaged] {
        let memory = try await Self.open(path, store.key)
        // "HTTP" is a word that the engine adds to parseHTTPHeader.
        answers.append(try await memory.recall(Query(text: "HTTP header 3", scope: .domain("web"))))
        try await memory.close()
      }
      #expect(answers[0] == answers[1] && !answers[0].isEmpty)
      let memory = try await Self.open(store.salvaged, nil)
      #expect(await Self.failure { _ = try await memory.episode("episode-3") }?.code == .keyMissing)
      #expect(await Self.failure { try await memory.insert([.sample("new", domain: "web")]) }?.code == .keyMissing)
      #expect(try await memory.episode("episode-1") != nil)
      try await memory.close()
      #expect(
        try ErasedBytes(directory: store.directory).files(
          under: store.salvaged, with: ["run test_3_0", "run test_6_0"])
          == [])
    }

    @Test(arguments: [0, 1, 4, 5, 7, 8] as [UInt64])
    func `of a damaged store brings back intact rows sealed as they were`(
      _ seed: UInt64
    ) async throws {
      let store = try await SalvageCase(encrypting: ["web"])
      let before = try await Self.content(store.original, store.key)
      let original = try SalvageCase.rows(of: store.original)
      let tables = ["episodes", "steps", "patterns", "embeddings", "episode_patterns"]
      let file = try UndamagedFile(path: store.original + "/memory.sqlite", tables: tables + ["domain_keys", "store"])
      var bytes = file.bytes
      let touched = Damage(seed: seed).apply(to: &bytes, file)
      try Data(bytes).write(to: URL(filePath: store.damaged + "/memory.sqlite"))
      let report = try await Memory.salvage(from: store.damaged, to: store.salvaged)
      #expect(report.failedChecks.isEmpty, "\(report.failedChecks)")
      let back = try SalvageCase.rows(of: store.salvaged)
      let aside = try SalvageCase.orphans(of: store.salvaged)
      var intact = 0
      for (place, pages) in file.pages where tables.contains(place.table) && pages.isDisjoint(with: touched) {
        let row = try #require(original[place.table]?[place.key])
        if let found = back[place.table]?[place.key] {
          intact += 1
          #expect(found == row, "\(place)")
        } else {
          #expect(place.table == "episode_patterns" || aside.contains(row["id"]), "\(place) is lost")
        }
      }
      #expect(intact > 50)
      for table in ["episodes", "steps", "embeddings"] {
        for (key, row) in back[table] ?? [:] where original[table]?[key]?["sealed"] as Data? != nil {
          #expect(row["sealed"] as Data? != nil, "\(table) \(key) is in plain")
        }
      }
      #expect(
        try ErasedBytes(directory: store.directory).files(
          under: store.salvaged, with: ["run test_3_0", "run test_6_0"])
          == [])
      // Keys and salt are each on a page.
      let hasKeys = file.pages.filter { ["domain_keys", "store"].contains($0.key.table) }.values.allSatisfy {
        $0.isDisjoint(with: touched)
      }
      let memory = try await Self.open(store.salvaged, store.key)
      for episode in before where hasKeys {
        let rows = [("episodes", "id"), ("steps", "episode_id")].flatMap { table, column in
          (original[table] ?? [:]).filter { $0.value[column] == episode.id.rawValue }.map { (table, $0.key) }
        }
        let isIntact = rows.allSatisfy { table, key in
          file.pages[.init(table: table, key: key)]?.isDisjoint(with: touched) == true
        }
        if isIntact { #expect(try await memory.episode(episode.id) == episode) }
      }
      try await memory.close()
    }

    @Test func `says that the keys are lost, and writes nothing plain into their domains`() async throws {
      let store = try await SalvageCase(encrypting: ["web"])
      let damaged = try DatabaseQueue(path: store.original + "/memory.sqlite")
      try await damaged.write { db in
        try db.execute(sql: "PRAGMA writable_schema = ON")
        try db.execute(sql: "DELETE FROM domain_keys")
      }
      try damaged.close()
      let report = try await Memory.salvage(from: store.original, to: store.salvaged)
      let loss = try #require(report.losses.first { $0.table == "domain_keys" })
      #expect(loss.reason.contains("\"web\"") && !report.isComplete, "\(report.losses)")
      let memory = try await Self.open(store.salvaged, store.key)
      #expect(await Self.failure { _ = try await memory.episode("episode-3") }?.code == .keyDestroyed)
      #expect(await Self.failure { try await memory.insert([.sample("new", domain: "web")]) }?.code == .keyDestroyed)
      #expect(try await memory.episode("episode-1") != nil)
      try await memory.forget(.domain("web"), in: .everything)
      try await memory.encrypt(domain: "web")
      try await memory.insert([.sample("new", domain: "web")])
      try await memory.close()
      #expect(try await Self.content(store.salvaged, store.key).map(\.id) == ["new"])
    }

    @Test func `says that the salt is lost`() async throws {
      let store = try await SalvageCase(encrypting: ["web"])
      let file = try UndamagedFile(path: store.original + "/memory.sqlite", tables: ["store"])
      let page = try #require(file.pages.values.first?.first)
      var bytes = file.bytes
      for place in (page - 1) * file.pageSize..<page * file.pageSize { bytes[place] = 0 }
      try Data(bytes).write(to: URL(filePath: store.damaged + "/memory.sqlite"))
      let report = try await Memory.salvage(from: store.damaged, to: store.salvaged)
      #expect(report.losses.contains { $0.table == "domain_keys" && $0.reason.contains("salt") }, "\(report.losses)")
      let memory = try await Self.open(store.salvaged, store.key)
      let error = await Self.failure { _ = try await memory.episode("episode-3") }
      #expect(error?.code == .corrupted && error?.message.contains("salt") == true, "\(String(describing: error))")
      #expect(try await memory.episode("episode-1") != nil)
      try await memory.close()
    }
  }
#endif
