import EpisodicMemory
import Foundation

/// A log of Codex: `~/.codex/sessions/YEAR/MONTH/DAY/rollout-TIME-SESSION.jsonl`.
///
/// Each call stands in it twice: as the model sees it, with its arguments, and as the screen shows it, with its exit code; both have
/// its id. An episode is a turn. Three generations of the format are read: records without an envelope, events of a beginning
/// and an end, and completed items.
struct CodexLog: LogParser {
  static let discriminator: StaticString = "type"
  static let types = items.union(["session_meta", "turn_context", "response_item", "event_msg"])
  /// Types of a record without an envelope, which is an item itself.
  private static let items: Set<String> = [
    "message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output",
    "local_shell_call", "web_search_call",
  ]

  /// Of the first record, else the name of the file.
  private var session: String
  private var hasSession = false
  private var directory: String?
  private var version: String?
  private var model: String?
  private var sessionTime: Timestamp?
  /// The turn that began last, and how many did.
  private var turn: String?
  private var turns = 0
  private var current: LoggedEpisode?
  private var hasPrompt = false
  private var ownCalls: Set<String> = []
  private var finished: [LoggedEpisode] = []

  /// Whether a record without an envelope is an item.
  static func isBareItem(_ type: String) -> Bool { items.contains(type) }

  /// - Parameter name: Names the session if no record does.
  init(name: String) { session = name }

  mutating func read(_ record: JSON.Object, _ type: String, _ counts: inout LogReport.Counts) {
    let time = record.time("timestamp") ?? sessionTime
    if Self.items.contains(type) { return readItem(record, type, time, isBare: true, &counts) }
    let payload = record.object("payload")
    switch type {
    case "session_meta": readSession(payload, time)
    case "turn_context":
      directory = payload.text("cwd") ?? directory
      model = payload.name("model") ?? model
      if let id = payload.name("turn_id") { begin(turn: id, time) }
      // A turn begins before its context is told.
      current?.metadata["model"] = model.map { .string($0) }
    case "response_item": readItem(payload, payload.text("type") ?? "", time, isBare: false, &counts)
    case "event_msg": readEvent(payload, payload.text("type") ?? "", time)
    default: break
    }
    current?.note(time: time)
  }

  mutating func takeFinished() -> [LoggedEpisode] {
    defer { finished = [] }
    return finished
  }

  mutating func finish(isGrowing: Bool) -> [LoggedEpisode] {
    if isGrowing, current?.ending == .unknown, current.map({ $0.openCalls > 0 }) ?? false {
      current?.ending = .unfinished
    }
    close()
    return takeFinished()
  }

  // MARK: Turns

  private mutating func readSession(_ payload: JSON.Object, _ time: Timestamp?) {
    // A session that goes on in the same log, or the one that it was forked from, has a record of its own.
    guard !hasSession else { return }
    hasSession = true
    session = payload.name("id") ?? session
    directory = payload.text("cwd")
    version = payload.name("cli_version")
    sessionTime = payload.time("timestamp") ?? time
  }

  /// Begins a turn that the log names, unless it is the one that is running.
  private mutating func begin(turn id: String, _ time: Timestamp?) {
    guard id != turn || current == nil else { return }
    turn = id
    begin(prompt: nil, time)
  }

  private mutating func begin(prompt: String?, _ time: Timestamp?) {
    close()
    turns += 1
    var episode = LoggedEpisode(
      id: AgentClient.codex.episode(session: session, turn: turn ?? "turn \(turns)"), agent: AgentClient.codex.rawValue,
      session: session,
      directory: directory, prompt: prompt ?? "a turn of Codex without a prompt in its log", begin: time,
      provenance: Provenance(.user, actor: AgentClient.codex.rawValue))
    episode.metadata["source_id"] = .string(turn ?? "\(session) turn \(turns)")
    episode.metadata["source_version"] = version.map { .string($0) }
    episode.metadata["model"] = model.map { .string($0) }
    current = episode
    hasPrompt = prompt != nil
  }

  private mutating func take(prompt text: String, _ time: Timestamp?) {
    guard let prompt = PromptText.prompt(text, after: PromptText.codexNotes) else { return }
    if current == nil || turn == nil && hasPrompt {
      begin(prompt: prompt, time)
    } else if !hasPrompt {
      current?.setPrompt(prompt)
      hasPrompt = true
    }
  }

  private mutating func close() {
    // A turn in which nothing was asked and nothing done is none.
    if let current, hasPrompt || !current.steps.isEmpty { finished.append(current) }
    current = nil
    hasPrompt = false
  }

  // MARK: What the model sees

  /// - Parameter isBare: Whether the log has no events, which would tell prompts from what the client adds.
  private mutating func readItem(
    _ item: JSON.Object, _ type: String, _ time: Timestamp?, isBare: Bool, _ counts: inout LogReport.Counts
  ) {
    switch type {
    case "message":
      let text = item.array("content").compactMap { $0.members?.text("text") }.joined(separator: "\n")
      if item.text("role") == "assistant" {
        if !text.isEmpty { current?.answer = text }
      } else if item.text("role") == "user", !hasPrompt || isBare {
        // The event of the prompt, which follows in later versions, has the same text.
        take(prompt: text, time)
      }
    case "function_call", "custom_tool_call", "local_shell_call", "web_search_call": readCall(item, type, time, &counts)
    case "function_call_output", "custom_tool_call_output":
      guard let call = item.text("call_id") else { return }
      guard current?.has(call: call) == true else {
        if !ownCalls.contains(call) { counts.resultsWithoutCall += 1 }
        return
      }
      let result = CallOutput(item["output"] ?? .null)
      if current?.output(of: call) == nil { current?.setOutput(result.text, of: call) }
      current?.update(call: call) { step in
        step.success = step.success ?? result.exitCode.map { $0 == 0 }
        step.duration = step.duration ?? result.duration
      }
    default: break
    }
  }

  private mutating func readCall(
    _ item: JSON.Object, _ type: String, _ time: Timestamp?, _ counts: inout LogReport.Counts
  ) {
    guard current != nil else {
      counts.withoutPrompt += 1
      return
    }
    var tool = item.text("name") ?? (type == "local_shell_call" ? "local_shell" : type)
    if let space = item.text("namespace") { tool = "\(space)__\(tool)" }
    let call = item.text("call_id") ?? item.text("id")
    guard !AgentStep.isOwn(tool) else {
      if let call { ownCalls.insert(call) }
      return
    }
    var input = item["arguments"] ?? item["input"] ?? item["action"] ?? .null
    if type == "function_call", case .string(let text) = input { input = Self.json(text) ?? input }
    current?.add(AgentStep(tool: tool, call: call, action: AgentStep.action(tool, input), timestamp: time))
  }

  /// Arguments are JSON in a string; a model may have written something else.
  private static func json(_ text: String) -> JSON? {
    do throws(MemoryError) {
      return try JSON(text: text)
    } catch {
      return nil
    }
  }

  // MARK: What the screen shows

  private mutating func readEvent(_ event: JSON.Object, _ type: String, _ time: Timestamp?) {
    switch type {
    case "task_started": if let id = event.name("turn_id") { begin(turn: id, time) }
    case "user_message": if let text = event.text("message") { noteUserMessage(text, time) }
    case "agent_message": if let text = event.text("message") { current?.answer = text }
    case "item_completed": readCompleted(event.object("item"), time)
    case "exec_command_end", "patch_apply_end", "mcp_tool_call_end": note(event, call: event.text("call_id"))
    case "task_complete":
      if let text = event.text("last_agent_message") { current?.answer = text }
      if current?.ending == .failed("error") { current?.ending = .unknown }
    case "turn_aborted": current?.ending = .failed("interrupted")
    case "error": current?.ending = .failed("error")
    default: break
    }
  }

  /// Of an older log, in which it begins a turn.
  private mutating func noteUserMessage(_ text: String, _ time: Timestamp?) {
    let plain = text.trimmingCharacters(in: .whitespacesAndNewlines)
    // The item of the same message was read before.
    let isKnown =
      hasPrompt
      && current.map { $0.steps.isEmpty && $0.prompt == AgentStep.clean(plain, AgentStep.promptBytes).text } ?? false
    if !isKnown { take(prompt: text, time) }
  }

  private mutating func readCompleted(_ item: JSON.Object, _ time: Timestamp?) {
    let texts = item.array("content").compactMap { $0.members?.text("text") }.joined(separator: "\n")
    switch item.text("type") {
    case "UserMessage": if !hasPrompt { take(prompt: item.text("text") ?? texts, time) }
    case "AgentMessage": if let text = item.text("text") ?? (texts.isEmpty ? nil : texts) { current?.answer = text }
    default: note(item, call: item.text("id"))
    }
  }

  /// The exit code and the output without a header.
  private mutating func note(_ item: JSON.Object, call: String?) {
    guard let call, current?.has(call: call) == true else { return }
    if let output = item.text("aggregated_output") { current?.setOutput(output, of: call) }
    let states = ["completed": true, "failed": false, "declined": false]
    current?.update(call: call) { step in
      if case .integer(let code)? = item["exit_code"] {
        step.success = code == 0
      } else if case .bool(let success)? = item["success"] {
        step.success = success
      } else if let state = item.text("status") {
        step.success = states[state] ?? step.success
      } else if let result = item["result"]?.members {
        step.success = result["Err"] != nil ? false : result["Ok"] != nil ? true : step.success
      }
      step.duration = CallOutput.duration(item.object("duration")) ?? step.duration
    }
  }
}

/// What a call printed, as the model sees it.
struct CallOutput {
  let text: String
  let exitCode: Int64?
  let duration: Duration?

  init(_ value: JSON) {
    var text = AgentStep.output(value) ?? ""
    var (exitCode, duration): (Int64?, Duration?) = (nil, nil)
    if text.hasPrefix("{\""), let object = Self.object(text), case .string(let output)? = object["output"] {
      // `{"output": "…", "metadata": {"exit_code": 0, "duration_seconds": 0.1}}`
      text = output
      if case .integer(let code)? = object.object("metadata")["exit_code"] { exitCode = code }
      if let seconds = object.object("metadata")["duration_seconds"]?.double, (0...1e9).contains(seconds) {
        duration = .milliseconds(Int(seconds * 1000))
      }
    } else if let range = text[..<Self.endOfHeader(text)].range(of: "\nOutput:\n") {
      // A header of lines such as "Process exited with code 2".
      exitCode = Self.exitCode(in: text[..<range.lowerBound])
      text = String(text[range.upperBound...])
    }
    (self.text, self.exitCode, self.duration) = (text, exitCode, duration)
  }

  /// Beyond it a text is output, which may be long.
  private static func endOfHeader(_ text: String) -> String.Index {
    text.utf8.index(text.startIndex, offsetBy: 512, limitedBy: text.endIndex) ?? text.endIndex
  }

  private static func exitCode(in header: Substring) -> Int64? {
    for label in ["Process exited with code ", "Exit code: "] {
      guard let range = header.range(of: label) else { continue }
      return Int64(header[range.upperBound...].prefix { $0 == "-" || $0.isWholeNumber })
    }
    return nil
  }

  private static func object(_ text: String) -> JSON.Object? {
    do throws(MemoryError) {
      return try JSON(text: text).members
    } catch {
      return nil
    }
  }

  static func duration(_ value: JSON.Object) -> Duration? {
    guard let seconds = value["secs"]?.double, let nanos = value["nanos"]?.double, (0...1e9).contains(seconds),
      (0...1e9).contains(nanos)
    else { return nil }
    return .milliseconds(Int(seconds * 1000 + nanos / 1e6))
  }
}
