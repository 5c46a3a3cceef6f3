import EpisodicMemory

/// An attempt as a log has it: a prompt, the calls that followed, and what is known of its end.
package struct LoggedEpisode: Sendable {
  /// How it ended, as far as the log says.
  enum Ending: Equatable {
    /// The log has no verdict, which is the usual case.
    case unknown
    /// It went wrong, as the log says: `interrupted`, `api_error`, `abandoned`.
    case failed(String)
    /// A call has no result yet, and the log is still being written.
    case unfinished
  }

  /// Steps beyond are counted and left out.
  static let maximumSteps = 5000
  /// Bytes of outputs of an episode, after which little is kept of each.
  private static let fullBytes = 8 << 20
  private static let shortBytes = 512

  let id: Episode.ID
  /// By which learning counts.
  let agent: String
  let session: String?
  /// In which the agent worked.
  let directory: String?
  /// If it is not that of the directory.
  var domain: String?
  private let provenance: Provenance
  private(set) var prompt: String
  private(set) var begin: Timestamp?
  private(set) var end: Timestamp?
  package private(set) var steps: [AgentStep] = []
  var ending = Ending.unknown
  var metadata: JSON.Object = [:]
  /// What the agent said last.
  var answer: String?
  /// Credentials replaced in the prompt.
  private(set) var redacted = 0
  private(set) var omittedSteps = 0
  private var places: [String: Int] = [:]
  private var outputBytes = 0

  init(
    id: Episode.ID, agent: String, session: String?, directory: String?, prompt: String, begin: Timestamp?,
    provenance: Provenance
  ) {
    (self.id, self.agent, self.session, self.directory) = (id, agent, session, directory)
    self.provenance = provenance
    (self.begin, self.end) = (begin, begin)
    (self.prompt, redacted) = AgentStep.clean(prompt, AgentStep.promptBytes)
  }

  /// Sets the prompt of an episode that began without one.
  mutating func setPrompt(_ text: String) { (prompt, redacted) = AgentStep.clean(text, AgentStep.promptBytes) }

  mutating func note(time: Timestamp?) {
    guard let time else { return }
    begin = begin ?? time
    end = end.map { max($0, time) } ?? time
  }

  mutating func add(_ step: AgentStep) {
    if let call = step.call {
      // A call that a log repeats is one call.
      guard places[call] == nil else { return }
      places[call] = steps.count
    }
    guard steps.count < Self.maximumSteps else {
      omittedSteps += 1
      return
    }
    steps.append(step)
  }

  func has(call: String) -> Bool { places[call] != nil }

  func output(of call: String) -> String? {
    places[call].flatMap { steps.indices.contains($0) ? steps[$0].output : nil }
  }

  /// Changes the step of a call.
  mutating func update(call: String, _ change: (inout AgentStep) -> Void) {
    guard let place = places[call], steps.indices.contains(place) else { return }
    change(&steps[place])
  }

  /// Sets the output of a call.
  ///
  /// - Returns: Whether there is such a call.
  @discardableResult
  mutating func setOutput(_ text: String, of call: String) -> Bool {
    guard has(call: call) else { return false }
    let bytes = outputBytes < Self.fullBytes ? AgentStep.outputBytes : Self.shortBytes
    update(call: call) { $0.setOutput(text, keeping: bytes) }
    outputBytes += min(text.utf8.count, bytes)
    return true
  }

  /// Calls of which no result is known.
  var openCalls: Int { steps.count { $0.call != nil && $0.output == nil && $0.success == nil } }

  /// Bytes that are held for it, about.
  var bytes: Int { prompt.utf8.count + outputBytes + steps.count * 500 }

  // MARK: As an episode

  /// - Parameter domain: Where it is kept.
  /// - Parameter time: For what has no time in the log.
  func episode(in domain: String, at time: Timestamp) -> Episode {
    let begin = begin ?? time
    var values = steps.enumerated().map { index, step in
      Step(
        id: .generate(at: time), number: index + 1, action: step.action, result: step.output,
        tool: step.tool.isEmpty ? nil : step.tool, duration: step.duration, success: step.success,
        timestamp: step.timestamp ?? begin, provenance: step.provenance)
    }
    if let answer, !answer.isEmpty {
      values.append(
        Step(
          id: .generate(at: time), number: values.count + 1, action: "answer",
          result: AgentStep.clean(answer, AgentStep.outputBytes).text, timestamp: end ?? begin))
    }
    let judged = steps.compactMap(\.success)
    var metadata = self.metadata
    for member in AgentClient.metadata(agent: agent, directory: directory) { metadata[member.name] = member.value }
    metadata["verdict"] = .null
    if case .failed(let verdict) = ending { metadata["verdict"] = .string(verdict) }
    if omittedSteps > 0 { metadata["steps_left_out"] = .integer(Int64(omittedSteps)) }
    let status: Episode.Status =
      switch ending {
      case .unknown: .completed
      case .failed: .failed
      case .unfinished: .active
      }
    return Episode(
      id: id, taskType: "coding", domain: domain, session: session.flatMap { $0.isEmpty ? nil : $0 }, context: prompt,
      status: status,
      successRate: status == .active || judged.isEmpty
        ? nil : Double(judged.count { $0 }) / Double(judged.count), createdAt: begin,
      completedAt: status == .active ? nil : max(begin, end ?? begin), metadata: .object(metadata),
      provenance: provenance, steps: values)
  }
}
