import Episodic
import Foundation
import GRDB
import TestSupport
import Testing

@Suite struct `Watching` {
  /// The next `count` elements.
  static func take(_ count: Int, _ changes: MemoryChanges) async throws -> [MemoryChanges.Element] {
    var taken: [MemoryChanges.Element] = []
    var iterator = changes.makeAsyncIterator()
    while taken.count < count, let element = try await iterator.next() { taken.append(element) }
    return taken
  }

  static func changes(_ elements: [MemoryChanges.Element]) -> [MemoryChange] {
    elements.compactMap { if case .change(let change) = $0 { change } else { nil } }
  }

  static func run(_ sql: String, on store: Store) throws {
    try DatabaseQueue(path: store.path + "/memory.sqlite").write { db in try db.execute(sql: sql) }
  }

  @Test(arguments: [false, true]) func `tells each verb's changes in the order of the commits`(
    _ isInMemory: Bool
  ) async throws {
    let store = try Store()
    let memory = isInMemory ? try await Memory.inMemory() : try await store.open()
    _ = try await memory.begin(.init(.testing, domain: "web", context: "x", id: "e"))
    _ = try await memory.append([Step.Draft("one"), Step.Draft("two")], to: "e")
    _ = try await memory.complete("e")
    let pattern = try await memory.record(Pattern.Draft(.toolSequence, data: ["tools": ["grep"]]))
    #expect(try await memory.delete("e"))
    let told = Self.changes(try await Self.take(6, memory.changes(after: .beginning, in: .everything)))
    #expect(
      told.map(\.subject) == [
        .episode("e"), .step(of: "e", number: 1), .step(of: "e", number: 2), .episode("e"),
        .pattern(.toolSequence, dataHash: pattern.dataHash), .episode("e"),
      ])
    #expect(told.map(\.kind) == [.inserted, .inserted, .inserted, .updated, .inserted, .deleted])
    #expect(told.map(\.domain) == ["web", "web", "web", "web", nil, "web"])
    #expect(told.last?.cursor == (try await memory.changeCursor()))
    try await memory.close()
  }

  @Test func `goes on from a cursor that was stored, in another process or after a restart`() async throws {
    let store = try Store()
    var cursors: [String] = []
    try await store.withMemory { memory in
      for number in 0..<5 { try await memory.insert([.sample(Episode.ID("e\(number)"))]) }
      cursors = Self.changes(try await Self.take(5, memory.changes(after: .beginning, in: .everything)))
        .map(\.cursor.rawValue)
    }
    #expect(Set(cursors).count == 5)
    for (place, text) in cursors.enumerated().dropLast() {
      let encoded = try JSONEncoder().encode([try #require(MemoryChange.Cursor(rawValue: text))])
      #expect(String(decoding: encoded, as: UTF8.self) == "[\"\(text)\"]")
      let cursor = try JSONDecoder().decode([MemoryChange.Cursor].self, from: encoded)[0]
      try await store.withMemory { memory in
        let next = Self.changes(try await Self.take(1, memory.changes(after: cursor, in: .everything)))
        #expect(next.map(\.subject) == [.episode(Episode.ID("e\(place + 1)"))])
      }
    }
  }

  @Test(arguments: [
    "", "x", "beginning ", "0.1.2", "00112233445566778899aabbccddeeff.0.0000000000000000",
    "00112233445566778899aabbccddeeff.01.0000000000000000", "00112233445566778899AABBCCDDEEFF.1.0000000000000000",
  ])
  func `a text that is no cursor makes none`(_ text: String) {
    #expect(MemoryChange.Cursor(rawValue: text) == nil)
  }

  @Test func `without a cursor begins at the last commit`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert([.sample("before")])
    let cursor = try await memory.changeCursor()
    try await memory.insert([.sample("after")])
    let taken = Self.changes(try await Self.take(1, memory.changes(after: cursor, in: .everything)))
    #expect(taken.map(\.subject) == [.episode("after")])

    var iterator = memory.changes(after: nil, in: .everything).makeAsyncIterator()
    let writer = Task {
      // The iterator begins at one of these commits.
      var number = 0
      while !Task.isCancelled {
        try await memory.insert([.sample(Episode.ID("later\(number)"))])
        number += 1
      }
    }
    guard case .change(let change)? = try await iterator.next(), case .episode(let id) = change.subject else {
      Issue.record("no change came")
      return
    }
    #expect(id.rawValue.hasPrefix("later"))
    writer.cancel()
    try await memory.close()
  }

  /// I8
  @Test func `in a domain shows the changes of its episodes alone`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert([.sample("theirs", domain: "web"), .sample("ours", domain: "home")])
    _ = try await memory.record(Pattern.Draft(.toolSequence, data: ["tools": ["grep"]]))
    try await memory.embed(.init(of: "ours", content: "", vector: [1], model: "m"))
    try await memory.embed(.init(of: "theirs", content: "", vector: [1], model: "m"))
    try await memory.insert([.sample("last", domain: "home")])
    let told = Self.changes(try await Self.take(4, memory.changes(after: .beginning, in: .domain("home"))))
    #expect(told.allSatisfy { $0.domain == "home" })
    #expect(Self.changes(try await Self.take(4, memory.domain("home").changes(after: .beginning))) == told)
    #expect(told.first?.subject == .episode("ours") && told.last?.subject == .episode("last"))
    try await memory.close()
  }

  // MARK: Gaps

  @Test func `a feed that was pruned past the cursor is a gap, and goes on with the oldest change that is kept`()
    async throws
  {
    let store = try Store()
    let memory = try await store.open()
    for number in 0..<6 { try await memory.insert([.sample(Episode.ID("e\(number)"))]) }
    let all = Self.changes(try await Self.take(6, memory.changes(after: .beginning, in: .everything)))
    try Self.run("DELETE FROM changes WHERE revision <= 3", on: store)
    for cursor in [.beginning, all[0].cursor, all[2].cursor] {
      let taken = try await Self.take(4, memory.changes(after: cursor, in: .everything))
      #expect(taken == [.gap(.pruned)] + all[3...].map(MemoryChanges.Element.change))
    }
    // The cursor's own row is kept: nothing is missing after it.
    #expect(
      try await Self.take(2, memory.changes(after: all[3].cursor, in: .everything))
        == all[4...].map(MemoryChanges.Element.change))
    try await memory.close()
  }

  @Test func `a cursor of another store, or of a history that a backup replaced, is a gap`() async throws {
    let (store, backup) = (try Store(), try Store())
    try await store.withMemory { try await $0.insert([.sample("a")]) }
    try FileManager.default.createDirectory(atPath: backup.path, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: store.path + "/memory.sqlite", toPath: backup.path + "/memory.sqlite")
    let cursor = try await store.withMemory { memory in
      try await memory.insert([.sample("lost")])
      return try await memory.changeCursor()
    }
    try await backup.withMemory { memory in
      #expect(
        try await Self.take(1, memory.changes(after: cursor, in: .everything)) == [.gap(.otherHistory)])
      try await memory.insert([.sample("other")])
      let taken = try await Self.take(3, memory.changes(after: cursor, in: .everything))
      #expect(taken.first == .gap(.otherHistory))
      #expect(Self.changes(taken).map(\.subject) == [.episode("a"), .episode("other")])
    }
    let foreign = try await Memory.inMemory()
    try await foreign.insert([.sample("foreign")])
    let taken = try await Self.take(2, foreign.changes(after: cursor, in: .everything))
    #expect(taken.first == .gap(.otherHistory) && Self.changes(taken).map(\.subject) == [.episode("foreign")])
  }

  // MARK: Waiting

  @Test(arguments: [false, true]) func `wakes those who wait at a commit of this process`(
    _ isInMemory: Bool
  ) async throws {
    let store = try Store()
    let memory = isInMemory ? try await Memory.inMemory() : try await store.open()
    let cursor = try await memory.changeCursor()
    try await withThrowingTaskGroup { group in
      for _ in 0..<5 {
        group.addTask {
          Self.changes(try await Self.take(50, memory.changes(after: cursor, in: .everything))).map(\.subject)
        }
      }
      for number in 0..<50 {
        await Task.yield()
        try await memory.insert([.sample(Episode.ID("e\(number)"))])
      }
      for try await told in group { #expect(told == (0..<50).map { .episode(Episode.ID("e\($0)")) }) }
    }
    try await memory.close()
  }

  @Test func `wakes those who wait at a commit of another process, and of another memory of this one`() async throws {
    let store = try Store()
    let (memory, other) = (try await store.open(), try await store.open())
    async let told = Self.take(4, memory.changes(after: .beginning, in: .everything))
    try await other.insert([.sample("of-another-memory")])
    let child = try Child("StoreWorker", ["index", store.path, "child", "1"], in: store.directory)
    #expect(child.wait() == 0)
    #expect(
      Self.changes(try await told).map(\.subject).prefix(2) == [
        .episode("of-another-memory"), .episode("child-0"),
      ])
    try await other.close()
    try await memory.close()
  }

  @Test func `ends as closed when the memory is closed, and at once when its task is cancelled`() async throws {
    let store = try Store()
    for isInMemory in [false, true] {
      let memory = isInMemory ? try await Memory.inMemory() : try await store.open()
      func wait() -> Task<MemoryError.Code?, Never> {
        Task {
          do throws(MemoryError) {
            for try await _ in memory.changes(after: nil, in: .everything) {}
            return nil
          } catch {
            return error.code
          }
        }
      }
      let (cancelled, closed) = (wait(), wait())
      await Task.yield()
      cancelled.cancel()
      #expect(await cancelled.value == .cancelled)
      try await memory.close()
      #expect(await closed.value == .closed)
      #expect(await wait().value == .closed)
    }
  }

  @Test func `an iterator that has thrown is at its end`() async throws {
    let memory = try await Memory.inMemory()
    var iterator = memory.changes(after: .beginning, in: .everything).makeAsyncIterator()
    try await memory.close()
    await #expect(throws: MemoryError.self) { try await iterator.next() }
    #expect(try await iterator.next() == nil)
  }

  @Test func `a slow reader of thousands of changes misses none, while others write`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert((0..<1500).map { .sample(Episode.ID("e\($0)")) })
    var iterator = memory.changes(after: .beginning, in: .everything).makeAsyncIterator()
    for number in 0..<2000 {
      if number.isMultiple(of: 3), number < 1500 {
        try await memory.insert([.sample(Episode.ID("e\(1500 + number / 3)"))])
      }
      #expect(
        Self.changes(try await [iterator.next()].compactMap(\.self)).first?.subject
          == .episode(Episode.ID("e\(number)")))
    }
    try await memory.close()
  }
}

@Suite struct `Watchers in several processes` {
  /// With EPISODIC_WATCHED_CHANGES=100000 the long form.
  @Test func `4 writers, 3 watchers killed and restarted from their cursor: each sees each change once, in order`()
    async throws
  {
    let store = try Store()
    let text = ProcessInfo.processInfo.environment["EPISODIC_WATCHED_CHANGES"] ?? "3000"
    let rounds = max(1, (Int(text) ?? 3000) / 40)
    try await store.withMemory { try await $0.insert([.sample("first")]) }
    let writers = try (0..<4).map {
      try Child("StoreWorker", ["change", store.path, "w\($0)", "\(rounds)"], in: store.directory)
    }
    let logs = (0..<3).map { store.directory.file("watcher-\($0)") }
    func watch(_ number: Int) throws -> Child {
      try Child("StoreWorker", ["watch", store.path, logs[number]], in: store.directory)
    }
    var watchers = try logs.indices.map(watch)
    var generator = SeededGenerator(seed: 9)
    var kills = 0
    while !writers.allSatisfy(\.isOver) || kills < 20 {
      usleep(UInt32.random(in: 1000...40_000, using: &generator))
      let number = Int.random(in: 0..<3, using: &generator)
      watchers[number].kill()
      kills += 1
      watchers[number] = try watch(number)
    }
    for child in writers {
      let status = child.wait()
      let errors = try child.standardError
      #expect(status == 0, "\(errors)")
    }
    try await store.withMemory { try await $0.insert([.sample("last")]) }
    for child in watchers {
      let status = child.wait()
      let errors = try child.standardError
      #expect(status == 0, "\(errors)")
    }

    let expected = try await DatabaseQueue(path: store.path + "/memory.sqlite").read { db in
      try String.fetchAll(db, sql: "SELECT key FROM changes WHERE kind IS NOT 'implied' ORDER BY revision")
    }
    #expect(expected.count >= 4 * rounds * 10)
    for log in logs {
      let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
      #expect(lines.map { String($0.split(separator: " ")[1]) } == expected)
    }
    try await store.withMemory { memory in
      for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
    }
  }
}
