import AgentLedger
import StoreValues

/// What a ledger holds of agents, runs, prompts, events, samples and files, as plain lists.
struct RunModel {
  struct Agent: Equatable {
    let id: String
    var name: String
    var model: String?
  }

  struct Run: Equatable {
    let id: String
    var agent: String?
    let parent: String?
    let task: String?
    let domain: String
    let session: String?
    var status: String
    var cost: Int64 = 0
    var rate: Double?
    var error: String?
    var heartbeat: Int64
    let started: Int64
    var completed: Int64?
    var isEnded: Bool { completed != nil }
  }

  /// A prompt, or a tool call if it names a tool.
  struct Entry: Equatable {
    let id: String
    let run: String
    let position: Int
    var tool: String?
    var prompt: String?
    var status: String?
    var response: String?
    var tokens = 0
    var cost: Int64
    var latency: Int64?
    var error: String?
    let created: Int64
    var completed: Int64?
  }

  struct Event: Equatable {
    let level: Ledger.Event.Level
    let errorType: String?
    let run: String?
    let task: String?
    let at: Int64
    let message: String
  }

  struct Sample: Equatable {
    let name: String
    let label: String?
    let value: Double
    let at: Int64
  }

  struct File: Equatable {
    let path: String
    let operation: String
    let run: String?
    let task: String?
    let at: Int64
  }

  var now: Int64
  let tasks: [String: (domain: String, session: String?)]
  var agents: [Agent] = []
  var runs: [Run] = []
  var entries: [Entry] = []
  /// Of the responses that stream, by prompt.
  var parts: [String: String] = [:]
  var events: [Event] = []
  var samples: [Sample] = []
  var files: [File] = []

  typealias Refusal = MemoryError.Code

  func run(_ id: String) -> Int? { runs.firstIndex { $0.id == id } }
  func prompt(_ id: String) -> Int? { entries.firstIndex { $0.id == id && $0.tool == nil } }

  // MARK: Agents

  mutating func addAgent(_ id: String, name: String) -> Refusal? {
    if name.isEmpty { return .invalid }
    if agents.contains(where: { $0.name == name || $0.id == id }) { return .conflict }
    agents.append(Agent(id: id, name: name))
    return nil
  }

  mutating func updateAgent(_ id: String, name: String?, model: String??) -> Refusal? {
    guard let index = agents.firstIndex(where: { $0.id == id }) else { return .notFound }
    if let name {
      if name.isEmpty { return .invalid }
      if agents.contains(where: { $0.name == name && $0.id != id }) { return .conflict }
      agents[index].name = name
    }
    if let model { agents[index].model = model }
    return nil
  }

  mutating func removeAgent(_ id: String) -> Refusal? {
    guard let index = agents.firstIndex(where: { $0.id == id }) else { return .notFound }
    agents.remove(at: index)
    for run in runs.indices where runs[run].agent == id { runs[run].agent = nil }
    return nil
  }

  // MARK: Runs

  mutating func start(
    _ id: String, domain: String?, session: String?, agent: String?, parent: String?, task: String?
  ) -> Refusal? {
    if domain == nil, task == nil { return .invalid }
    if run(id) != nil { return .conflict }
    if let agent, !agents.contains(where: { $0.id == agent }) { return .notFound }
    if let parent, run(parent) == nil { return .notFound }
    if let task, tasks[task] == nil { return .notFound }
    let of = task.flatMap { tasks[$0] }
    runs.append(
      Run(
        id: id, agent: agent, parent: parent, task: task, domain: domain ?? of?.domain ?? "",
        session: session ?? of?.session, status: "initializing", heartbeat: now, started: now))
    return nil
  }

  static let ended: Set = ["completed", "failed", "cancelled"]
  static let next = [
    "initializing": "planning executing failed cancelled", "planning": "executing failed cancelled",
    "executing": "planning reviewing completed failed cancelled",
    "reviewing": "executing completed failed cancelled",
  ]

  private func may(_ index: Int, become status: String) -> Bool {
    Self.next[runs[index].status]?.split(separator: " ").contains { $0 == status } ?? false
  }

  mutating func set(_ id: String, _ status: String) -> Refusal? {
    if Self.ended.contains(status) { return .invalid }
    guard let index = run(id) else { return .notFound }
    if runs[index].status == status { return nil }
    guard may(index, become: status) else { return .conflict }
    (runs[index].status, runs[index].heartbeat) = (status, now)
    return nil
  }

  mutating func finish(_ id: String, _ status: String, rate: Double?, error: String?) -> Refusal? {
    if let rate, !(0...1).contains(rate) { return .invalid }
    if !Self.ended.contains(status) { return .invalid }
    guard let index = run(id) else { return .notFound }
    guard may(index, become: status) else { return .conflict }
    end(index, status, rate: rate, error: error)
    return nil
  }

  private mutating func end(_ index: Int, _ status: String, rate: Double? = nil, error: String? = nil) {
    (runs[index].status, runs[index].completed) = (status, now)
    (runs[index].rate, runs[index].error) = (rate, error)
    for entry in entries.indices where entries[entry].run == runs[index].id {
      guard let open = entries[entry].status, open == "pending" || open == "streaming" else { continue }
      if open == "streaming" { entries[entry].response = parts.removeValue(forKey: entries[entry].id) ?? "" }
      entries[entry].status = status == "failed" ? "failed" : "cancelled"
      entries[entry].error = "the run ended before it: \(status)"
      entries[entry].completed = now
    }
  }

  mutating func heartbeat(_ id: String) -> Refusal? {
    guard let index = run(id) else { return .notFound }
    if !runs[index].isEnded { runs[index].heartbeat = now }
    return nil
  }

  /// What a run writes.
  private mutating func noteLife(_ index: Int) {
    let elapsed = now - runs[index].heartbeat
    if elapsed >= 1000 || elapsed < 0 { runs[index].heartbeat = now }
  }

  /// Each before those that it started.
  func tree(_ root: String, depth: Int = 0) -> [String] {
    ["\(root) \(depth)"] + runs.filter { $0.parent == root }.flatMap { tree($0.id, depth: depth + 1) }
  }

  mutating func cancel(_ root: String) -> Set<String>? {
    guard run(root) != nil else { return nil }
    var cancelled: Set<String> = []
    for line in tree(root) {
      let id = String(line.split(separator: " ")[0])
      guard let index = run(id), !runs[index].isEnded else { continue }
      end(index, "cancelled")
      cancelled.insert(id)
    }
    return cancelled
  }

  mutating func failAbandoned(_ silence: Int64) -> [String] {
    let silent = runs.indices.filter { !runs[$0].isEnded && runs[$0].heartbeat <= now - silence }
      .sorted { (runs[$0].heartbeat, $0) < (runs[$1].heartbeat, $1) }
    for index in silent { end(index, "failed", error: "abandoned") }
    return silent.map { runs[$0].id }
  }

  // MARK: Prompts and tool calls

  /// - Parameter new: Without their position and times.
  mutating func add(_ new: [Entry], to id: String) -> Refusal? {
    if new.contains(where: { $0.cost < 0 || $0.tokens < 0 }) { return .invalid }
    guard let index = run(id) else { return .notFound }
    if runs[index].isEnded { return .conflict }
    var changed = self
    for entry in new {
      let (sum, overflow) = changed.runs[index].cost.addingReportingOverflow(entry.cost)
      if overflow { return .limitExceeded }
      changed.runs[index].cost = sum
      if let asked = entry.prompt {
        guard let prompt = changed.prompt(asked) else { return .notFound }
        if changed.entries[prompt].run != id { return .conflict }
      }
      let isTaken = changed.entries.contains { $0.id == entry.id && ($0.tool == nil) == (entry.tool == nil) }
      if isTaken { return .conflict }
      changed.entries.append(
        Entry(
          id: entry.id, run: id, position: changed.entries.count { $0.run == id } + 1, tool: entry.tool,
          prompt: entry.prompt, status: entry.status, response: entry.response, tokens: entry.tokens, cost: entry.cost,
          created: now, completed: entry.status.map { Self.ended.contains($0) } == true ? now : nil))
    }
    changed.noteLife(index)
    self = changed
    return nil
  }

  mutating func begin(_ id: String) -> Refusal? {
    guard let index = prompt(id) else { return .notFound }
    guard entries[index].status == "pending" else { return .conflict }
    entries[index].status = "streaming"
    if let run = run(entries[index].run) { noteLife(run) }
    return nil
  }

  mutating func append(_ text: [String], _ id: String) -> Refusal? {
    guard let index = prompt(id) else { return .notFound }
    guard entries[index].status == "streaming" else { return .conflict }
    parts[id, default: ""] += text.joined()
    if let run = run(entries[index].run) { noteLife(run) }
    return nil
  }

  mutating func finishPrompt(
    _ id: String, _ status: String, response: String?, cost: Int64?, tokens: Int?, error: String?
  ) -> Refusal? {
    if !Self.ended.contains(status) || (error != nil && status == "completed") { return .invalid }
    if cost.map({ $0 < 0 }) == true || tokens.map({ $0 < 0 }) == true { return .invalid }
    guard let index = prompt(id), let run = run(entries[index].run) else { return .notFound }
    guard let now = entries[index].status, !Self.ended.contains(now) else { return .conflict }
    if let cost {
      let (sum, overflow) = (runs[run].cost - entries[index].cost).addingReportingOverflow(cost)
      if overflow { return .limitExceeded }
      (runs[run].cost, entries[index].cost) = (sum, cost)
    }
    let streamed = now == "streaming" ? parts.removeValue(forKey: id) ?? "" : nil
    entries[index].response = response ?? streamed
    entries[index].tokens = tokens ?? entries[index].tokens
    (entries[index].status, entries[index].error, entries[index].completed) = (status, error, self.now)
    entries[index].latency = max(0, self.now - entries[index].created)
    noteLife(run)
    return nil
  }

  // MARK: Events, samples and files

  private func lacks(run: String?, task: String?) -> Bool {
    run.map { self.run($0) == nil } == true || task.map { tasks[$0] == nil } == true
  }

  mutating func log(_ new: [Event]) -> Refusal? {
    if new.contains(where: { lacks(run: $0.run, task: $0.task) }) { return .notFound }
    events += new
    return nil
  }

  mutating func record(_ new: [Sample]) -> Refusal? {
    if new.contains(where: { !$0.value.isFinite }) { return .invalid }
    samples += new
    return nil
  }

  mutating func record(_ new: [File]) -> Refusal? {
    if new.contains(where: { $0.run == nil && $0.task == nil }) { return .invalid }
    if new.contains(where: { lacks(run: $0.run, task: $0.task) }) { return .notFound }
    files += new
    return nil
  }
}
