import AgentLogs
import ArgumentParser
import Episodic
import Foundation
import Logging

struct HookCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hook",
    abstract: "Records what a coding agent does, and reminds it of what it did.",
    discussion: """
      Claude Code and Codex run it for their events, each as one JSON object on standard input. A prompt begins an episode, and \
      what the memory knows of it is added to the prompt; a use of a tool is a step; after a failure what is known of it is \
      added, with what learn found of this agent; the answer ends the episode. The domain is the name of the git repository around the directory that the agent works in.

      Of Codex, whose events do not say whether a command succeeded, the steps are read from its log when it has answered.

      It ends with 0 in any case, within 3 seconds, and prints nothing if something is wrong: hook.log in the store says what.

      EXAMPLES:
        echo '{"hook_event_name": "UserPromptSubmit", "session_id": "s", "cwd": "/src/web", "prompt": "fix the login"}' | episodic hook
      """)

  /// After it the agent goes on without an answer.
  private static let patience = Duration.seconds(3)
  private static let busyTimeout = Duration.seconds(1)
  /// Hits with a lower score have little in common with the question.
  private static let minimumScore = 0.2
  /// Of which the best two or three are chosen: fewer than usual, because the agent waits.
  private static let candidates = 20

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("The domain, if not that of the agent's directory.", valueName: "domain"))
  var domain: String?

  func run() async throws {
    let log = HookLog(store: store.path)
    HookLog.giveUp(after: Self.patience, log)
    do {
      let event = try AgentEvent(try StandardInput.bytes())
      if case .other = event.kind { return }
      let text = try await store.withMemory(
        creating: true, printing: false, for: .hook(searches: event.searches, log.logger, busyTimeout: Self.busyTimeout)
      ) { memory in
        try await Self.handle(event, memory, domain ?? ProjectDomain.name(at: event.directory), log)
      }
      guard let text else { return }
      let output: JSON = [
        "hookSpecificOutput": ["hookEventName": .string(event.name), "additionalContext": .string(text)]
      ]
      StandardOutput.write(output)
    } catch {
      log.write("\(error)")
    }
  }

  /// - Returns: What the agent is to read; `nil` for nothing.
  private static func handle(
    _ event: AgentEvent, _ memory: Memory, _ domain: String, _ log: HookLog
  ) async throws -> String? {
    switch event.kind {
    case .prompt(let prompt):
      let text = AgentStep.clean(prompt, AgentStep.promptBytes).text
      var known: String?
      do {
        // Before the turn that this prompt interrupted has failed and is a hit.
        known = try await recall(text.cut(toBytes: 4000), limit: 3, tokens: 1200, memory, domain)
      } catch {
        // The prompt is recorded all the same.
        log.write("nothing is recalled: \(error)")
      }
      do {
        return try await joined(advice(begin(event, text, memory, domain), memory, log), known)
      } catch {
        // What is known helps all the same.
        log.write("the prompt is not recorded: \(error)")
        return known
      }
    case .toolUse(let succeeded):
      // What Codex did is read from its log when it has answered, which says what succeeded.
      if succeeded == nil, event.hasTranscript { return nil }
      guard let step = event.step(succeeded: succeeded) else { return nil }
      // Searched while the step is appended: a running episode is no hit.
      async let known = succeeded == false ? recall(event.question, limit: 2, tokens: 800, memory, domain) : nil
      let episode = try await running(event, memory, domain).first
      if let episode { _ = try await memory.append(step, to: episode, idempotencyKey: event.stepKey) }
      guard succeeded == false else { return nil }
      return try await joined(advice(episode, memory, log), known)
    case .stop:
      guard let episode = try await running(event, memory, domain).first else { return nil }
      let steps = try logged(event)
      try await memory.write { batch in
        for step in steps {
          try batch.append(step.draft, to: episode, idempotencyKey: step.call.map { AgentStep.key(event.session, $0) })
        }
        if let message = event.lastMessage {
          let text = AgentStep.clean(message, AgentStep.outputBytes).text
          try batch.append(Step.Draft("answer", result: text), to: episode)
        }
        try batch.complete(episode)
      }
      return nil
    case .end:
      // A session that is over without an answer was interrupted.
      for episode in try await running(event, memory, domain) { try await memory.fail(episode) }
      return nil
    case .other: return nil
    }
  }

  private static func logged(_ event: AgentEvent) throws(MemoryError) -> [AgentStep] {
    guard event.client == .codex, let turn = event.turn, let path = event.transcript else { return [] }
    return try CodexTail.steps(path: path, turn: turn)
  }

  /// The episodes of the session that have no end yet, newest first.
  private static func running(
    _ event: AgentEvent, _ memory: Memory, _ domain: String
  ) async throws(MemoryError) -> [Episode.ID] {
    var filter = Episode.Filter()
    filter.session = event.session
    filter.statuses = [.active]
    return try await memory.episodes(filter, in: .domain(domain), limit: 10, steps: .none).elements.map(\.id)
  }

  private static func begin(
    _ event: AgentEvent, _ prompt: String, _ memory: Memory, _ domain: String
  ) async throws(MemoryError) -> Episode.ID {
    // Without an answer they were interrupted.
    let interrupted = try await running(event, memory, domain)
    let draft = Episode.Draft(
      "coding", domain: domain, context: prompt, session: event.session,
      metadata: .object(AgentClient.metadata(agent: event.client.rawValue, directory: event.directory)),
      id: event.episode,
      provenance: Provenance(.user, actor: event.client.rawValue))
    return try await memory.write { batch throws(MemoryError) in
      if let id = draft.id, try batch.episode(id) != nil { return id }
      for episode in interrupted { try batch.fail(episode) }
      return try batch.begin(draft).id
    }
  }

  /// What past runs of the agent say after the last step of its episode, and a warning if it repeats itself; `nil` for nothing.
  private static func advice(_ episode: Episode.ID?, _ memory: Memory, _ log: HookLog) async -> String? {
    guard let episode else { return nil }
    do throws(MemoryError) {
      let advice = try await memory.guidance(for: episode, limit: 2)
      guard !advice.isEmpty else { return nil }
      let lines = advice.map { MarkedFrame.quoted($0.text.onOneLine) }
      return MarkedFrame(lines.joined(), source: "counts of what past runs of this agent did in this situation").text
    } catch {
      // What is recalled helps without it.
      log.write("no advice: \(error)")
      return nil
    }
  }

  private static func joined(_ parts: String?...) -> String? {
    let texts = parts.compactMap { $0 }
    return texts.isEmpty ? nil : texts.joined(separator: "\n\n")
  }

  private static func recall(
    _ text: String, limit: Int, tokens: Int, _ memory: Memory, _ domain: String
  ) async throws(MemoryError) -> String? {
    var query = Query(text: text, scope: .domain(domain), limit: limit, minimumScore: minimumScore)
    query.ranking.depth = candidates
    guard try !query.isEmpty() else { return nil }
    let hits = try await memory.recall(query)
    return hits.isEmpty ? nil : PromptBlock(hits, question: nil, tokens: tokens).text
  }
}

extension AgentEvent {
  /// Whether the memory is asked, and not only written.
  fileprivate var searches: Bool {
    switch kind {
    case .prompt, .toolUse(succeeded: false): true
    default: false
    }
  }

  fileprivate var hasTranscript: Bool { transcript.map { access($0, R_OK) == 0 } ?? false }
}
