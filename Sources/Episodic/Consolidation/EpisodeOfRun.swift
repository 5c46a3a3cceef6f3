import AgentLedger
import EpisodicMemory

/// The episode that a finished run becomes: its id is the run's (I7).
struct EpisodeOfRun {
  let run: Ledger.Run
  /// `nil` if the run is of none, or it is not there any more.
  let task: Ledger.Task?
  let agent: Ledger.Agent?
  /// Bytes of a text of an episode; a ledger keeps longer ones, which are cut in the middle, with a mark.
  let fieldBytes: Int
  private(set) var steps: [Step] = []

  init(_ run: Ledger.Run, of task: Ledger.Task?, by agent: Ledger.Agent?, fieldBytes: Int) {
    (self.run, self.task, self.agent, self.fieldBytes) = (run, task, agent, fieldBytes)
  }

  /// Adds what follows in the run, as steps in its order.
  mutating func add(_ entries: [Ledger.Entry]) {
    for entry in entries {
      switch entry {
      case .prompt(let prompt): steps.append(step(prompt, number: steps.count + 1))
      case .toolCall(let call): steps.append(step(call, number: steps.count + 1))
      }
    }
  }

  private func step(_ prompt: Ledger.Prompt, number: Int) -> Step {
    Step(
      id: Step.ID(prompt.id.rawValue), number: number, action: prompt.text.cut(toBytes: fieldBytes),
      result: (prompt.response ?? prompt.error)?.cut(toBytes: fieldBytes),
      tool: nil, duration: prompt.latency,
      success: prompt.status == .completed ? true : prompt.status == .failed ? false : nil, timestamp: prompt.createdAt)
  }

  private func step(_ call: Ledger.ToolCall, number: Int) -> Step {
    let action: String =
      if case .string(let text) = call.arguments { text } else { "\(call.tool)(\(call.arguments.canonicalText))" }
    return Step(
      id: Step.ID(call.id.rawValue), number: number, action: action.cut(toBytes: fieldBytes),
      result: (call.result ?? call.error)?.cut(toBytes: fieldBytes), tool: call.tool,
      duration: call.duration, success: call.success, timestamp: call.createdAt)
  }

  var episode: Episode {
    Episode(
      id: Episode.ID(run.id.rawValue), taskType: TaskType(rawValue: run.taskType.rawValue), domain: run.domain,
      session: run.session ?? task?.session, context: context, status: run.status == .completed ? .completed : .failed,
      successRate: successRate, createdAt: run.startedAt, completedAt: run.completedAt, metadata: metadata,
      provenance: Provenance(.ledger, actor: agent?.name), steps: steps)
  }

  /// The words of the task, by which the episode is found again.
  private var context: String { words.cut(toBytes: fieldBytes) }

  private var words: String {
    if !run.context.isEmpty { return run.context }
    guard let task else { return run.taskType.rawValue }
    return task.request ?? "\(task.type) \(task.params.canonicalText)"
  }

  /// What the run says; else the share of its steps that succeeded, of those that say so; else whether it was completed.
  private var successRate: Double {
    if let rate = run.successRate { return rate }
    let known = steps.compactMap(\.success)
    guard !known.isEmpty else { return run.status == .completed ? 1 : 0 }
    return Double(known.count { $0 }) / Double(known.count)
  }

  /// The run's config, and what a run has beyond an episode.
  private var metadata: JSON {
    var members = run.config.members ?? JSON.Object([])
    if let agent { members["agent"] = .string(agent.name) }
    if let task { members["task_id"] = .string(task.id.rawValue) }
    if let parent = run.parent { members["parent_run"] = .string(parent.rawValue) }
    if run.cost > 0 { members["cost"] = .integer(run.cost) }
    if run.status == .cancelled { members["outcome"] = "cancelled" }
    if let error = run.error { members["error"] = .string(error) }
    return .object(members)
  }
}
