import EpisodicMemory
import TestSupport
import Testing

@testable import MemorySQLite

@Suite struct `Domains and sessions` {
  private static func filled() async throws -> (bench: Bench, episodes: [Episode]) {
    let bench = try await Bench()
    var random = SeededGenerator(seed: 5)
    let episodes = (0..<200).map { number in
      var episode = Episode.sample(
        Episode.ID("e\(number)"), domain: ["web", "mail", "ops"][number % 3],
        status: Episode.Status.allCases[Int.random(in: 0..<4, using: &random)], at: Int64(number / 5) * 10_000)
      episode.session = number % 4 == 0 ? nil : "s\(Int.random(in: 0..<12, using: &random))"
      return episode
    }
    try await bench.memory.insert(episodes)
    return (bench, episodes)
  }

  private static func lastActivity(_ episodes: [Episode]) -> Timestamp? {
    episodes.map { $0.completedAt ?? $0.createdAt }.max()
  }

  private static func counts(_ episodes: [Episode]) -> [Episode.Status: Int] {
    episodes.reduce(into: [:]) { $0[$1.status, default: 0] += 1 }
  }

  @Test func `each domain is listed by name with its episodes by status and its last activity`() async throws {
    let (bench, episodes) = try await Self.filled()
    let expected = Dictionary(grouping: episodes, by: \.domain)
    let domains = try await bench.memory.domains()
    #expect(domains.map(\.name) == ["mail", "ops", "web"])
    for domain in domains {
      let own = try #require(expected[domain.name])
      #expect(domain.episodes == Self.counts(own) && domain.lastActivity == Self.lastActivity(own))
    }
    #expect(try await Bench().memory.domains().isEmpty)
  }

  @Test(arguments: [Query.Scope.everything, .domain("mail"), .domain("nowhere")], [1, 5, 1000])
  func `each session of a scope is listed once, that with the newest episode first`(
    _ scope: Query.Scope, _ limit: Int
  ) async throws {
    let (bench, episodes) = try await Self.filled()
    struct Key: Hashable { let domain: String, session: String }
    let groups = Dictionary(
      grouping: episodes.enumerated().filter { _, episode in
        episode.session != nil && (scope == .everything || scope == .domain(episode.domain))
      }, by: { Key(domain: $1.domain, session: $1.session ?? "") })
    let order = groups.sorted { a, b in
      func place(_ group: [(offset: Int, element: Episode)]) -> Int { group.map(\.offset).max() ?? 0 }
      return place(a.value) > place(b.value)
    }
    var sessions: [SessionSummary] = []
    var cursor: Episode.Page.Cursor?
    repeat {
      let page = try await bench.memory.sessions(in: scope, after: cursor, limit: limit)
      #expect(page.elements.count <= limit)
      sessions += page.elements
      cursor = page.next
    } while cursor != nil
    #expect(sessions.map { Key(domain: $0.domain, session: $0.name) } == order.map(\.key))
    for (session, group) in zip(sessions, order) {
      let own = group.value.map(\.element)
      #expect(session.episodes == Self.counts(own) && session.lastActivity == Self.lastActivity(own))
      #expect(session.firstActivity == own.map(\.createdAt).min())
    }
  }
}
