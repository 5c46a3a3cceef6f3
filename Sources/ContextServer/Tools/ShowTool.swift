import EpisodicMemory

struct ShowTool: Tool {
  static let name = "show"
  private static let source = "recorded notes of one attempt"
  private static let pageSteps = 100
  /// Tokens below which a step is not cut but left for the next call.
  private static let leastTokens = 60

  let definition = ToolDefinition(
    name: Self.name, title: "Show an attempt",
    description: "Shows the steps of one attempt, as many as fit. next says where to go on.",
    properties: [
      "id": ToolDefinition.property("string", "Of the attempt, from recall."),
      "steps": ToolDefinition.property("string", "Numbers of steps, such as 12-30 or 12-; all if left out."),
      "max_tokens": ToolDefinition.property("integer", "500 to 20000; 4000 if left out."),
    ],
    required: ["id"], annotations: ["readOnlyHint": true, "openWorldHint": false])

  func call(_ arguments: InputObject, _ call: ToolCall) async throws(MemoryError) -> ToolResult {
    var arguments = arguments
    let id = try arguments.required("id")
    try arguments.domain(call)
    let range = try Self.range(try arguments.text("steps"))
    let tokens = try arguments.integer("max_tokens", in: RecallTool.budget, default: 4000)
    try arguments.end()
    return try await Self.result(id, range, tokens, call)
  }

  /// The steps of a range that fit.
  static func result(
    _ id: String, _ range: ClosedRange<Int>, _ tokens: Int, _ call: ToolCall
  ) async throws(MemoryError) -> ToolResult {
    guard let episode = try await call.handle.episode(Episode.ID(id), steps: .none) else { throw call.noEpisode(id) }
    return try await ToolResult.fitted(to: tokens) { room async throws(MemoryError) in
      try await part(of: episode, range, room, call)
    }
  }

  private static func part(
    of episode: Episode, _ range: ClosedRange<Int>, _ tokens: Int, _ call: ToolCall
  ) async throws(MemoryError) -> ToolResult {
    // Besides the notes: the frame, and the members of the result.
    var left = tokens - MarkedFrame.tokens(source: source) - 60
    var task = episode
    task.context = episode.context.cut(toTokens: max(left / 3, leastTokens))
    var notes = NoteText.head(episode) + NoteText.context(task)
    left -= TokenEstimate.count(notes)
    var shown = 0
    var next: Int?
    var after = range.lowerBound - 1
    reading: while true {
      let page = try await call.handle.steps(of: episode.id, after: after, limit: pageSteps)
      for step in page.elements {
        guard step.number <= range.upperBound else { break reading }
        var note = NoteText.step(step)
        if TokenEstimate.count(note) > left {
          guard shown == 0 || left > 4 * leastTokens, let cut = step.cut(toTokens: left) else {
            next = step.number
            break reading
          }
          note = NoteText.step(cut)
        }
        notes += note
        left -= TokenEstimate.count(note)
        shown += 1
      }
      guard let cursor = page.next else { break }
      after = cursor
    }
    let text = MarkedFrame(notes, source: source).text
    var members: JSON.Object = [
      "id": .string(episode.id.rawValue), "notes": .string(text), "steps_shown": JSON(shown),
      "steps_total": JSON(episode.stepCount),
    ]
    if let next { members["next"] = .string("\(next)-\(range.upperBound == .max ? "" : "\(range.upperBound)")") }
    let more = next.map { "\nmore: show with steps \"\($0)-\"" } ?? ""
    return ToolResult(members, text: text + more)
  }

  /// `12-30`, `12-`, `12`.
  private static func range(_ text: String?) throws(MemoryError) -> ClosedRange<Int> {
    guard let text else { return 1...Int.max }
    let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    if let first = Int(parts[0]), first >= 1 {
      if parts.count == 1 { return first...first }
      if parts[1].isEmpty { return first...Int.max }
      if let last = Int(parts[1]), last >= first { return first...last }
    }
    throw MemoryError(
      .invalid, "steps is \"\(text.shortened(to: 40))\"; write numbers from 1 on as 12-30, or 12- for all from there on"
    )
  }
}

extension String {
  /// Its beginning and its end in about so many tokens.
  fileprivate func cut(toTokens tokens: Int) -> String {
    let cost = TokenEstimate.count(self)
    guard cost > tokens, cost > 0 else { return self }
    // The tokens of a byte differ within a text; the answer as a whole is counted again.
    let (scaled, overflow) = utf8.count.multipliedReportingOverflow(by: max(tokens, 1))
    return cut(toBytes: overflow ? utf8.count / 2 : scaled / cost * 9 / 10)
  }
}

extension Step {
  /// The step with its longest text cut; `nil` if there is no room for one.
  fileprivate func cut(toTokens tokens: Int) -> Step? {
    guard tokens > 0 else { return nil }
    var step = self
    step.action = action.cut(toTokens: max(tokens / 3, 20))
    let left = tokens - TokenEstimate.count(step.action) - 20
    if let result { step.result = left > 16 ? result.cut(toTokens: left) : nil }
    return step
  }
}
