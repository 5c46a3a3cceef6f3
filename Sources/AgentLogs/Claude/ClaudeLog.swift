import EpisodicMemory

/// A log of Claude Code: `~/.claude/projects/PROJECT/SESSION.jsonl`, and of its subagents.
///
/// A message of the model is several records, one for each block; results come in any order, and are paired by the id of their
/// call. An episode is a prompt of a person with all that follows up to the next one, or the work of a subagent.
struct ClaudeLog: LogParser {
  static let discriminator: StaticString = "type"
  static let types: Set<String> = ["user", "assistant"]

  /// Episodes of a thread that are kept for results that come late.
  private static let kept = 3
  /// Threads that are kept: more subagents do not run at once.
  private static let keptThreads = 32

  /// The conversation, or that of one subagent.
  private struct Thread {
    var episodes: [LoggedEpisode] = []
    var prompt: String?
    var usage = Usage()
  }

  /// Tokens by message, which each of its records repeats.
  private struct Usage {
    var message: String?
    var input: Int64 = 0
    var output: Int64 = 0
  }

  private var lineage: ClaudeLineage
  /// From the file beside the log of a subagent: the call that began it.
  private let parentCall: String?
  private var threads: [String: Thread] = [:]
  /// The threads of records of subagents in the log of their session.
  private var sidechains: [String: String] = [:]
  /// Calls of the memory's own tools, which are no steps.
  private var ownCalls: Set<String> = []
  private var finished: [LoggedEpisode] = []

  init(_ lineage: ClaudeLineage, parentCall: String? = nil) { (self.lineage, self.parentCall) = (lineage, parentCall) }

  mutating func read(_ record: JSON.Object, _ type: String, _ counts: inout LogReport.Counts) {
    let name = thread(of: record)
    if threads[name] == nil, threads.count >= Self.keptThreads, let other = threads.keys.first(where: { !$0.isEmpty }) {
      finished += threads.removeValue(forKey: other)?.episodes ?? []
    }
    // Moved, not copied.
    var thread = threads.removeValue(forKey: name) ?? Thread()
    if type == "user" {
      readUser(record, isSide: !name.isEmpty, &thread, &counts)
    } else {
      readAssistant(record, isSide: !name.isEmpty, &thread, &counts)
    }
    threads[name] = thread
  }

  mutating func takeFinished() -> [LoggedEpisode] {
    defer { finished = [] }
    return finished
  }

  mutating func finish(isGrowing: Bool) -> [LoggedEpisode] {
    for name in threads.keys.sorted() {
      guard var thread = threads[name] else { continue }
      if isGrowing, let last = thread.episodes.indices.last, thread.episodes[last].ending == .unknown,
        thread.episodes[last].openCalls > 0
      {
        thread.episodes[last].ending = .unfinished
      }
      finished += thread.episodes
    }
    threads = [:]
    return takeFinished()
  }

  /// The empty name is that of the conversation.
  private mutating func thread(of record: JSON.Object) -> String {
    guard record.isTrue("isSidechain") else { return "" }
    if let agent = record.text("agentId") { return agent }
    let uuid = record.text("uuid") ?? "?"
    let name = record.text("parentUuid").flatMap { sidechains[$0] } ?? uuid
    sidechains[uuid] = name
    return name
  }

  // MARK: Prompts and results

  private mutating func readUser(
    _ record: JSON.Object, isSide: Bool, _ thread: inout Thread, _ counts: inout LogReport.Counts
  ) {
    let message = record.object("message")
    let blocks = message.array("content").compactMap(\.members)
    let results = blocks.filter { $0.text("type") == "tool_result" }
    for result in results { take(result, of: record, &thread, &counts) }
    if let last = thread.episodes.indices.last { thread.episodes[last].note(time: record.time("timestamp")) }
    guard results.isEmpty, !["isMeta", "isCompactSummary", "isVisibleInTranscriptOnly"].contains(where: record.isTrue)
    else { return }
    let text =
      message.text("content")
      ?? blocks.filter { $0.text("type") == "text" }.compactMap { $0.text("text") }
      .joined(separator: "\n")
    if text.hasPrefix("[Request interrupted by user") {
      if let last = thread.episodes.indices.last { thread.episodes[last].ending = .failed("interrupted") }
      return
    }
    guard let prompt = PromptText.prompt(text, after: PromptText.claudeNotes) else { return }
    // A subagent has one task; more texts of one prompt are of one episode.
    let id = isSide ? nil : record.name("promptId")
    if let last = thread.episodes.last, isSide || id != nil && id == thread.prompt, last.ending == .unknown { return }
    begin(record, prompt, id, isSide, &thread)
  }

  private mutating func begin(
    _ record: JSON.Object, _ prompt: String, _ id: String?, _ isSide: Bool, _ thread: inout Thread
  ) {
    let (session, uuid) = (record.name("sessionId") ?? "", record.name("uuid") ?? "")
    var episode = LoggedEpisode(
      id: AgentClient.claude.episode(session: session, turn: id ?? uuid), agent: AgentClient.claude.rawValue,
      session: session,
      directory: record.text("cwd"), prompt: prompt, begin: record.time("timestamp"),
      provenance: Provenance(.user, actor: AgentClient.claude.rawValue))
    episode.metadata["source_id"] = .string(uuid)
    episode.metadata["source_version"] = record.name("version").map { .string($0) }
    episode.metadata["branch"] = record.name("gitBranch").map { .string($0) }
    if isSide {
      episode.metadata["subagent"] = record.name("agentId").map { .string($0) } ?? true
      episode.metadata["parent_call"] = parentCall.map { .string($0) }
    } else if lineage.isAbandoned(uuid) {
      episode.ending = .failed("abandoned")
      episode.metadata["abandoned"] = "rewind"
    }
    thread.prompt = id
    thread.usage = Usage()
    thread.episodes.append(episode)
    if thread.episodes.count > Self.kept { finished.append(thread.episodes.removeFirst()) }
  }

  private func take(
    _ result: JSON.Object, of record: JSON.Object, _ thread: inout Thread, _ counts: inout LogReport.Counts
  ) {
    guard let call = result.text("tool_use_id"),
      let index = thread.episodes.lastIndex(where: { $0.has(call: call) })
    else {
      if result.text("tool_use_id").map({ !ownCalls.contains($0) }) ?? true { counts.resultsWithoutCall += 1 }
      return
    }
    let response = record.object("toolUseResult")
    let text = result["content"].flatMap(AgentStep.output) ?? ""
    thread.episodes[index].setOutput(text, of: call)
    thread.episodes[index].update(call: call) { step in
      step.success = !result.isTrue("is_error")
      step.duration = (response.number("durationMs") ?? response.number("totalDurationMs")).map { .milliseconds($0) }
    }
  }

  // MARK: The model

  private mutating func readAssistant(
    _ record: JSON.Object, isSide: Bool, _ thread: inout Thread, _ counts: inout LogReport.Counts
  ) {
    // Before the first prompt, as in a log whose beginning is lost, nobody knows what it was for.
    guard let last = thread.episodes.indices.last else {
      counts.withoutPrompt += 1
      return
    }
    let (message, time) = (record.object("message"), record.time("timestamp"))
    thread.episodes[last].note(time: time)
    if record.isTrue("isApiErrorMessage") {
      thread.episodes[last].ending = .failed("api_error")
      return
    }
    // The agent went on after the error.
    if thread.episodes[last].ending == .failed("api_error") { thread.episodes[last].ending = .unknown }
    if let model = message.name("model"), !model.hasPrefix("<") {
      thread.episodes[last].metadata["model"] = .string(model)
    }
    note(message, &thread, last)
    for block in message.array("content").compactMap(\.members) {
      switch block.text("type") {
      case "text": if let text = block.text("text") { thread.episodes[last].answer = text }
      case "tool_use":
        guard let call = block.text("id"), let tool = block.text("name") else { continue }
        guard !AgentStep.isOwn(tool) else {
          ownCalls.insert(call)
          continue
        }
        var step = AgentStep(
          tool: tool, call: call, action: AgentStep.action(tool, block["input"] ?? .null), timestamp: time)
        step.page = block.object("input").text("url")
        thread.episodes[last].add(step)
      default: continue
      }
    }
  }

  private func note(_ message: JSON.Object, _ thread: inout Thread, _ last: Int) {
    let usage = message.object("usage")
    guard let id = message.text("id"), let output = usage.number("output_tokens") else { return }
    let input = usage.number("input_tokens") ?? 0
    // Each record of a message has its usage so far; only what is new is added.
    let isSame = thread.usage.message == id
    let more = (input - (isSame ? thread.usage.input : 0), output - (isSame ? thread.usage.output : 0))
    thread.usage = Usage(message: id, input: input, output: output)
    var metadata = thread.episodes[last].metadata
    metadata["input_tokens"] = .integer((metadata.number("input_tokens") ?? 0) + max(0, more.0))
    metadata["output_tokens"] = .integer((metadata.number("output_tokens") ?? 0) + max(0, more.1))
    thread.episodes[last].metadata = metadata
  }
}
