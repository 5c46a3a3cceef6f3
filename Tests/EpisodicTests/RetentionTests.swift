import Episodic
import EpisodicMemory
import Foundation
import GRDB
import Synchronization
import TestSupport
import Testing

@Suite struct `Retention` {
  private static let day = Duration.seconds(86_400)

  /// What happens to an episode by the words of the documentation, over episodes that were read whole.
  private struct Oracle {
    let policies: RetentionPolicies
    let now: Timestamp
    let linked: Set<Episode.ID>

    private func age(_ time: Timestamp) -> Int64 { now.milliseconds - time.milliseconds }

    private func isOver(_ limit: Duration?, _ time: Timestamp) -> Bool {
      guard let limit else { return false }
      return age(time) >= limit.components.seconds * 1000
    }

    /// By id; an episode that nothing happens to is missing. `episodes` in the order of recording.
    func decisions(_ episodes: [Episode]) -> [Episode.ID: RetentionReport.Reason] {
      var reasons: [Episode.ID: RetentionReport.Reason] = [:]
      for (domain, members) in Dictionary(grouping: episodes, by: \.domain) {
        guard let policy = policies.domains[domain] ?? policies.standard else { continue }
        for episode in members {
          let end = episode.completedAt ?? episode.createdAt
          if episode.status == .active {
            let last = max(episode.createdAt, episode.steps.map(\.timestamp).max() ?? episode.createdAt)
            if isOver(policy.abandonAfter, last) { reasons[episode.id] = .abandonAfter }
            continue
          }
          if policy.keepsLinked && linked.contains(episode.id) { continue }
          let archived = episode.status == .archived || isOver(policy.archiveAfter, end)
          if archived && isOver(policy.deleteArchivedAfter, end) {
            reasons[episode.id] = .deleteArchivedAfter
          } else if episode.status != .archived && archived {
            reasons[episode.id] = .archiveAfter
          }
        }
        var left = members.filter { reasons[$0.id] != .deleteArchivedAfter }
        let order = left.enumerated().filter { _, episode in
          episode.status != .active && !(policy.keepsLinked && linked.contains(episode.id))
        }.sorted { a, b in
          func key(_ entry: (offset: Int, element: Episode)) -> (Int, Int64, Int) {
            let episode = entry.element
            let isArchived = episode.status == .archived || reasons[episode.id] == .archiveAfter
            return (isArchived ? 0 : 1, (episode.completedAt ?? episode.createdAt).milliseconds, entry.offset)
          }
          return key(a) < key(b)
        }.map(\.element)
        for episode in order {
          let bytes = left.reduce(0) { $0 + Self.bytes($1) }
          if left.count > policy.maximumEpisodes ?? .max {
            reasons[episode.id] = .maximumEpisodes
          } else if bytes > policy.maximumBytes ?? .max {
            reasons[episode.id] = .maximumBytes
          } else {
            continue
          }
          left.removeAll { $0.id == episode.id }
        }
      }
      return reasons
    }

    static func bytes(_ episode: Episode) -> Int64 {
      let steps = episode.steps.map {
        100 + $0.action.utf8.count + ($0.result ?? "").utf8.count + ($0.tool ?? "").utf8.count
      }
      return Int64(
        100 + episode.context.utf8.count + episode.metadata.canonicalText.utf8.count + steps.reduce(0, +))
    }
  }

  private static func policy(_ random: inout SeededGenerator) -> RetentionPolicy {
    func maybe<Value>(_ value: Value) -> Value? { Bool.random(using: &random) ? value : nil }
    let archive = Int.random(in: 1...20, using: &random)
    let delete = archive + Int.random(in: 0...20, using: &random)
    return RetentionPolicy(
      archiveAfter: maybe(day * archive), deleteArchivedAfter: maybe(day * delete),
      abandonAfter: maybe(day * Int.random(in: 1...20, using: &random)),
      maximumEpisodes: maybe(Int.random(in: 1...20, using: &random)),
      // Below the size of the file, so that texts are measured.
      maximumBytes: maybe(Int64.random(in: 1000...8000, using: &random)), keepsLinked: Bool.random(using: &random))
  }

  @Test(arguments: 0..<24) func `does what an oracle over whole episodes says, and a dry run says it before`(
    seed: UInt64
  ) async throws {
    let clock = ManualClock()
    let memory = try await Memory.inMemory(clock: clock)
    var random = SeededGenerator(seed: seed)
    let start = clock.now().milliseconds
    var episodes: [Episode] = []
    for number in 0..<60 {
      let created = start - Int64.random(in: 0...30, using: &random) * 86_400_000
      let status = Episode.Status.allCases.randomElement(using: &random) ?? .active
      var episode = Episode.sample(
        Episode.ID("e\(number)"), domain: ["a", "b", "c"][number % 3], context: "task \(number)", status: status,
        steps: (0..<Int.random(in: 0...6, using: &random)).map { "step \($0) é" }, at: created)
      if status == .archived, Bool.random(using: &random) { episode.completedAt = nil }
      episodes.append(episode)
    }
    try await memory.insert(episodes)
    var linked: Set<Episode.ID> = []
    for number in 0..<3 {
      let pattern = try await memory.record(Pattern.Draft(.toolSequence, data: ["n": .integer(Int64(number))]))
      for episode in episodes.shuffled(using: &random).prefix(8) {
        try await memory.link(pattern.id, to: episode.id)
        if number > 0 { linked.insert(episode.id) }
      }
      if number > 0 { try await memory.markUsed(pattern.id) }
    }
    let policies = RetentionPolicies(
      standard: Bool.random(using: &random) ? Self.policy(&random) : nil,
      domains: ["a": Self.policy(&random), "b": Bool.random(using: &random) ? Self.policy(&random) : RetentionPolicy()])
    try await memory.setRetention(policies.standard)
    for (domain, policy) in policies.domains { try await memory.setRetention(policy, for: domain) }
    #expect(try await memory.retention() == policies)

    let expected = Oracle(policies: policies, now: clock.now(), linked: linked).decisions(episodes)
    let dry = try await memory.applyRetention(dryRun: true)
    #expect(dry.isDryRun && dry.clockDoubt == nil)
    for episode in episodes { #expect(try await memory.episode(episode.id)?.status == episode.status) }
    let report = try await memory.applyRetention()
    for told in [dry, report] {
      #expect(Dictionary(uniqueKeysWithValues: told.decisions.map { ($0.episode, $0.reason) }) == expected)
      #expect(told.counts == Dictionary(grouping: expected.values, by: { $0 }).mapValues(\.count))
    }
    for episode in episodes {
      let now = try await memory.episode(episode.id)
      switch expected[episode.id] {
      case nil: #expect(now == episode, "\(episode.id)")
      case .archiveAfter: #expect(now?.status == .archived && now?.steps.count == episode.steps.count)
      case .abandonAfter:
        #expect(now?.status == .failed && now?.completedAt == clock.now())
        #expect(now?.metadata["abandoned"] != nil)
      default: #expect(now == nil, "\(episode.id)")
      }
    }
    // What is left is within the policy, but for episodes that have just been abandoned: now the limits count them.
    let again = try await memory.applyRetention()
    #expect(again.decisions.allSatisfy { $0.action == .delete })
    #expect(expected.values.contains(.abandonAfter) || again.total == 0)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check)") }
    try await memory.close()
  }

  @Test(arguments: [
    (RetentionPolicy(archiveAfter: .zero), "archiveAfter"),
    (RetentionPolicy(archiveAfter: .seconds(-864_000)), "archiveAfter is -10 days"),
    (RetentionPolicy(abandonAfter: .milliseconds(20)), "abandonAfter"),
    (RetentionPolicy(deleteArchivedAfter: .seconds(Int64.max)), "deleteArchivedAfter"),
    (RetentionPolicy(archiveAfter: .seconds(20), deleteArchivedAfter: .seconds(10)), "archiveAfter is 20 seconds"),
    (RetentionPolicy(maximumEpisodes: 0), "maximumEpisodes is 0"),
    (RetentionPolicy(maximumEpisodes: -1), "maximumEpisodes is -1"),
    (RetentionPolicy(maximumBytes: .min), "maximumBytes"),
  ])
  func `a policy that contradicts itself is refused with the field`(policy: RetentionPolicy, field: String) async throws
  {
    let memory = try await Memory.inMemory()
    let error = await #expect(throws: MemoryError.self) { try await memory.setRetention(policy) }
    #expect(error?.code == .invalid && error?.message.contains(field) == true)
    #expect(try await memory.retention() == RetentionPolicies())
  }

  @Test func `a domain without an episode is refused unless it is allowed`() async throws {
    let memory = try await Memory.inMemory()
    let policy = RetentionPolicy(maximumEpisodes: 5)
    let error = await #expect(throws: MemoryError.self) { try await memory.setRetention(policy, for: "wep") }
    #expect(error?.code == .notFound && error?.message.contains("wep") == true)
    try await memory.setRetention(policy, for: "wep", allowingUnknownDomain: true)
    #expect(try await memory.retention()["wep"] == policy)
    try await memory.setRetention(nil, for: "wep")
    #expect(try await memory.retention() == RetentionPolicies())
  }

  @Test func `an episode that is abandoned keeps what its caller wrote under the same name`() async throws {
    let clock = ManualClock()
    let memory = try await Memory.inMemory(clock: clock)
    for (id, metadata) in [("own", ["abandoned": 7]), ("none", ["a": 1])] as [(Episode.ID, JSON)] {
      _ = try await memory.begin(.init(.testing, domain: "d", context: "x", metadata: metadata, id: id))
    }
    try await memory.setRetention(RetentionPolicy(abandonAfter: Self.day))
    clock.advance(by: Self.day)
    #expect(try await memory.applyRetention().counts == [.abandonAfter: 2])
    #expect(try await memory.episode("own")?.status == .failed)
    #expect(try await memory.episode("own")?.metadata == ["abandoned": 7])
    #expect(try await memory.episode("none")?.metadata["abandoned"] != nil)
  }

  @Test(arguments: [
    #"{"standard": {"burn_after": 1}}"#, #"{"standard": {"archive_after_seconds": 0}}"#,
    #"{"domains": {"swift": {"maximum_episodes": -1}}}"#, "[]",
  ])
  func `policies that cannot be read or make no sense are applied by nobody and can be removed`(
    _ stored: String
  ) async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert([.sample("e")])
    try await DatabaseQueue(path: store.path + "/memory.sqlite").write { db in
      try db.execute(sql: "INSERT INTO settings VALUES ('retention', ?, 0)", arguments: [stored])
    }
    for verb in [
      { _ = try await $0.retention() }, { _ = try await $0.applyRetention() }, { try await $0.setRetention(nil) },
    ] as [(Memory) async throws -> Void] {
      let error = await #expect(throws: MemoryError.self) { try await verb(memory) }
      #expect(error?.code == .corrupted && error?.message.contains("remove all policies") == true)
    }
    try await memory.removeRetention()
    #expect(try await memory.retention() == RetentionPolicies())
    #expect(try await memory.applyRetention().total == 0)
    try await memory.close()
  }

  @Test func `an episode that was reopened and ended again since it was looked at stays as it is`() async throws {
    let store = try Store()
    let clock = ManualClock()
    let memory = try await store.open { $0.clock = clock }
    try await memory.insert((0..<600).map { .sample(Episode.ID("e\($0)"), at: clock.now().milliseconds) })
    try await memory.setRetention(RetentionPolicy(archiveAfter: Self.day))
    clock.advance(by: Self.day + .seconds(1))
    let path = store.path + "/memory.sqlite"
    let (other, later) = (try DatabaseQueue(path: path), clock.now().milliseconds)
    let touched = Mutex(0)
    let report = try await memory.maintain(.init(tasks: [.retention])) { progress in
      guard progress.done > 0 else { return }
      let count = try? other.write { db in
        try db.execute(
          sql: "UPDATE episodes SET completed_at = ? WHERE status = 'completed' AND completed_at < ?",
          arguments: [later, later])
        return db.changesCount
      }
      touched.withLock { $0 += count ?? 0 }
    }
    let left = touched.withLock { $0 }
    #expect(left > 0 && report[.retention]?.counts == ["archive_after": 600 - left], "\(report), \(left)")
    #expect(try await memory.statistics().primary.episodes[.completed] == left)
    try other.close()
    try await memory.close()
  }

  @Test func `a schedule of backups that makes no sense is a damaged one`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await DatabaseQueue(path: store.path + "/memory.sqlite").write { db in
      let stored = #"{"compression": "none", "every_seconds": 1, "keep": 2}"#
      try db.execute(sql: "INSERT INTO settings VALUES ('backup_schedule', ?, 0)", arguments: [stored])
    }
    let error = await #expect(throws: MemoryError.self) { try await memory.backupSchedule() }
    #expect(error?.code == .corrupted && error?.message.contains("1 second is too often") == true)
    try await memory.setBackupSchedule(nil)
    #expect(try await memory.backupSchedule() == nil)
    try await memory.close()
  }

  /// I8
  @Test func `a handle to a domain sets and applies the policy of that domain`() async throws {
    let clock = ManualClock()
    let memory = try await Memory.inMemory(clock: clock)
    for domain in ["web", "db"] {
      try await memory.insert([.sample(Episode.ID(domain), domain: domain, at: clock.now().milliseconds)])
    }
    let web = memory.domain("web")
    try await web.setRetention(RetentionPolicy(archiveAfter: Self.day))
    try await memory.setRetention(RetentionPolicy(archiveAfter: Self.day * 2))
    #expect(try await web.retention()?.archiveAfter == Self.day)
    #expect(try await memory.domain("db").retention()?.archiveAfter == Self.day * 2)
    clock.advance(by: Self.day * 3)
    let report = try await web.applyRetention(acceptingClock: true)
    #expect(report.decisions.map(\.episode) == ["web"] && report.episodes == 1)
    #expect(try await memory.episode("db")?.status == .completed)
    try await web.setRetention(nil)
    #expect(try await web.retention()?.archiveAfter == Self.day * 2)
  }

  @Test func `a policy is coded as it is stored, and what is not understood is refused`() throws {
    let policy = RetentionPolicy(archiveAfter: Self.day, maximumEpisodes: 3, keepsLinked: false)
    let coded = try JSONEncoder().encode(RetentionPolicies(standard: policy, domains: ["é": RetentionPolicy()]))
    #expect(try JSONDecoder().decode(RetentionPolicies.self, from: coded)["e\u{301}"] == RetentionPolicy())
    #expect(policy.json == ["archive_after_seconds": 86_400, "maximum_episodes": 3, "keeps_linked": false])
    for text in ["{\"keeps_everything\": true}", "{\"maximum_episodes\": 0}", "[]", "{\"archive_after_seconds\": 1.5}"]
    {
      #expect(throws: (any Error).self) { try JSONDecoder().decode(RetentionPolicy.self, from: Data(text.utf8)) }
    }
  }
}
