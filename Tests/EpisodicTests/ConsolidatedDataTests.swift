import Episodic
import Foundation
import TestSupport
import Testing

@Suite struct `Real runs of agents` {
  /// The episodes of the data set, written as runs of a ledger: each step as a prompt with its response.
  private static func write(_ episodes: [Episode], to ledger: Ledger) async throws {
    for episode in episodes {
      var draft = Ledger.Run.Draft(
        Ledger.Run.TaskType(rawValue: episode.taskType.rawValue), domain: episode.domain, context: episode.context,
        session: episode.session, status: .executing, id: Ledger.Run.ID(episode.id.rawValue))
      draft.config = episode.metadata
      draft.startedAt = episode.createdAt
      let run = try await ledger.start(draft)
      try await ledger.add(
        episode.steps.map { step in
          var prompt = Ledger.Prompt.Draft(
            step.action, response: step.result, latency: step.duration,
            status: step.success == false ? .failed : .completed)
          prompt.at = step.timestamp
          return prompt
        }, to: run.id)
      try await ledger.finish(
        run: run.id, as: episode.status == .completed ? .completed : .failed, successRate: episode.successRate,
        at: episode.completedAt)
    }
  }

  private static func described(_ hits: [Hit]) -> Set<String> {
    Set(hits.map { hit in "\(hit.episode.id) \(hit.score)" })
  }

  @Test(.enabled(if: Host.hasSharedData("airline/episodes.jsonl"), "needs ../shared/data/airline beside the checkout"))
  func `written as runs and consolidated are the episodes, and the recall, of an import`() async throws {
    let directory = try TemporaryDirectory()
    let imported = try await Memory.open(at: directory.file("imported"))
    _ = try await imported.importEpisodes(from: [
      .file(Host.sharedData("airline/episodes.jsonl").path(percentEncoded: false))
    ])
    var episodes: [Episode] = []
    var page = Episode.Page.Cursor?.none
    repeat {
      let next = try await imported.episodes(in: .everything, after: page, limit: 1000)
      episodes += next.elements
      page = next.next
    } while page != nil
    // As the import had them, so that equal scores are in the same order.
    episodes.sort { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
    try #require(episodes.count > 100)

    let store = try await AgentStore.open(at: directory.file("store"), options: .manual)
    try await Self.write(episodes, to: store.ledger)
    let report = try await store.consolidate()
    #expect(report.episodes.count == episodes.count && report.failures.isEmpty)
    for episode in episodes {
      let consolidated = try #require(try await store.memory.episode(episode.id))
      #expect(consolidated.described == episode.described)
      #expect(consolidated.steps.map(\.described) == episode.steps.map(\.described))
    }
    let lines = try String(contentsOf: Host.sharedData("airline/queries.jsonl"), encoding: .utf8).split(
      separator: "\n")
    for line in lines.prefix(100) {
      let text = try #require(try JSON(text: String(line))["text"]?.text)
      let query = Query(text: text, scope: .everything, limit: 10)
      let (a, b) = (try await imported.recall(query), try await store.memory.recall(query))
      #expect(Self.described(a) == Self.described(b), "\(text)")
    }
    try await store.close()
    try await imported.close()
  }
}

extension JSON {
  fileprivate var text: String? { if case .string(let text) = self { text } else { nil } }
}

extension Episode {
  /// All that a caller gave.
  fileprivate var described: [String] {
    [
      id.rawValue, taskType.rawValue, domain, session ?? "-", context, status.rawValue, "\(successRate ?? -1)",
      "\(createdAt)", completedAt.map(\.description) ?? "-", metadata.canonicalText,
    ]
  }
}

extension Step {
  fileprivate var described: [String] {
    [
      "\(number)", action, result ?? "-", tool ?? "-", duration.map { "\($0)" } ?? "-", success.map { "\($0)" } ?? "-",
      "\(timestamp)",
    ]
  }
}
