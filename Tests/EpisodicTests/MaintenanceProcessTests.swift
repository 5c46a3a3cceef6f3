import Episodic
import Foundation
import GRDB
import TestSupport
import Testing

@Suite struct `Maintenance and processes` {
  /// 500 with EPISODIC_KILLS=500.
  private static let kills = ProcessInfo.processInfo.environment["EPISODIC_KILLS"].flatMap(Int.init) ?? 20

  @Test func `killed at random moments of maintenance, episodes are whole or gone, and the next run goes on`()
    async throws
  {
    let directory = try TemporaryDirectory()
    let store = directory.file("store")
    var generator = SeededGenerator(seed: 12)
    for round in 0..<Self.kills {
      let child = try Child("StoreWorker", ["maintain", store, "k\(round)"], in: directory)
      // Lines come with each slice, so most kills happen inside of maintenance.
      try await child.waitForLines(Int.random(in: 1...60, using: &generator))
      usleep(UInt32.random(in: 0...20_000, using: &generator))
      child.kill()

      let memory = try await Memory.open(at: store)
      var page = Episode.Page.Cursor?.none
      repeat {
        let next = try await memory.episodes(in: .everything, after: page, limit: 100)
        for episode in next.elements {
          let steps = Int(episode.context.split(separator: " ")[1]) ?? -1
          #expect(episode.steps.count == steps, "\(episode.id) after kill \(round)")
          #expect(try await memory.steps(of: episode.id, after: nil, limit: 1000).elements.count == steps)
        }
        page = next.next
      } while page != nil
      for hit in try await memory.recall(Query(text: "step", scope: .everything, limit: 100)) {
        #expect(Int(hit.episode.context.split(separator: " ")[1]) == hit.episode.steps.count)
      }
      let left = try await Self.deletedRows(store)
      for id in left { #expect(try await memory.episode(id) == nil) }
      let report = try await memory.maintain(.init(tasks: [.retention]))
      #expect(!report.isHeld && report[.retention]?.outcome == .done, "\(report)")
      #expect(report[.retention]?.counts["finished"] ?? 0 == left.count)
      #expect(try await Self.deletedRows(store).isEmpty)
      #expect(try await !Self.appendsMergeNothing(store), "after kill \(round)")
      for domain in try await memory.domains() { #expect(domain.episodes.values.reduce(0, +) <= 120) }
      if round.isMultiple(of: 4) || round == Self.kills - 1 {
        for check in try await memory.check() { #expect(check.outcome == .passed, "\(check) after kill \(round)") }
      }
      try await memory.close()
    }
  }

  /// Episodes that are deleted and have steps left, through another connection.
  private static func deletedRows(_ store: String) async throws -> [Episode.ID] {
    try await DatabaseQueue(path: store + "/memory.sqlite").read { db in
      try String.fetchAll(db, sql: "SELECT id FROM episodes WHERE domain = char(1) || 'deleted'").map { Episode.ID($0) }
    }
  }

  /// Whether a run that was cut short has left that appends merge no full text.
  private static func appendsMergeNothing(_ store: String) async throws -> Bool {
    try await DatabaseQueue(path: store + "/memory.sqlite").read { db in
      for text in ["episodes_text", "steps_text", "patterns_text"] {
        if try Int.fetchOne(db, sql: "SELECT v FROM \(text)_config WHERE k = 'automerge'") == 0 { return true }
      }
      return false
    }
  }

  @Test func `one process maintains at a time, and its death frees the lease`() async throws {
    let directory = try TemporaryDirectory()
    let store = directory.file("store")
    let memory = try await Memory.open(at: store)
    let child = try Child("StoreWorker", ["hold-maintenance", store, "-"], in: directory)
    try await child.waitForLines(1)
    let pid = try #require(try child.lines.first?.split(separator: " ").last.flatMap { Int32($0) })
    let report = try await memory.maintain()
    #expect(report.isHeld && report.holder == pid && report.tasks.isEmpty)
    // What only one does, others can do without: writes and reads go on.
    try await memory.insert([.sample("e")])
    child.kill()
    #expect(try await !memory.maintain().isHeld)
    try await memory.close()
  }

  @Test func `a day of maintenance keeps count, bytes and log within the policy`() async throws {
    let store = try Store()
    let clock = ManualClock()
    let memory = try await store.open { $0.clock = clock }
    let hour = Duration.seconds(3600)
    try await memory.setRetention(
      RetentionPolicy(
        archiveAfter: hour * 2, deleteArchivedAfter: hour * 4, abandonAfter: hour, maximumEpisodes: 100))
    func size(_ name: String) throws -> Int {
      let path = store.path + "/" + name
      guard FileManager.default.fileExists(atPath: path) else { return 0 }
      return try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
    }
    let text = String(repeating: "a word of the log ", count: 200)
    var atSixHours = 0
    for turn in 0..<144 {
      // 10 minutes: six finished episodes, and one that nobody ends.
      for number in 0..<6 {
        try await memory.insert([
          .sample(Episode.ID("e\(turn)-\(number)"), steps: [text, text], at: clock.now().milliseconds)
        ])
      }
      _ = try await memory.begin(.init(.testing, domain: "swift", context: "left", id: Episode.ID("left\(turn)")))
      clock.advance(by: .seconds(600))
      let report = try await memory.maintain()
      #expect(report.tasks.allSatisfy { $0.outcome != .failed }, "\(report)")
      guard report[.retention]?.outcome == .done else { continue }
      let counts = try await memory.statistics().primary.episodes
      // Active ones, of the last hours, stay whatever the limit says.
      #expect(counts.values.reduce(0, +) <= 100, "\(counts)")
      #expect(counts[.active] ?? 0 <= 12, "\(counts)")
      if turn >= 36, atSixHours == 0 { atSixHours = try size("memory.sqlite") }
      #expect(try size("memory.sqlite-wal") <= 17 << 20)
    }
    #expect(try size("memory.sqlite") < atSixHours * 3 / 2)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check)") }
    try await memory.close()
  }
}
