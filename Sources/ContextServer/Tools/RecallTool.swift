import EpisodicMemory

struct RecallTool: Tool {
  static let name = "recall"
  static let budget: ClosedRange<Int64> = 500...20_000

  let definition = ToolDefinition(
    name: Self.name, title: "Recall past attempts",
    description: """
      Finds past attempts at similar tasks: what was tried, what worked, which fix an error had. Call it before a task, and \
      when a step fails.
      """,
    properties: [
      "text": ToolDefinition.property("string", "The task in words, or the error message."),
      "status": [
        "type": "string", "enum": ["any", "completed", "failed"], "description": "Only attempts that ended so.",
      ],
      "limit": ToolDefinition.property("integer", "Attempts, 1 to 20; 5 if left out."),
      "max_tokens": ToolDefinition.property("integer", "Length of the answer, 500 to 20000; 1500 if left out."),
    ],
    required: ["text"], annotations: ["readOnlyHint": true, "openWorldHint": false],
    // Clients that load tools on demand have this one in the prompt at once.
    meta: ["anthropic/alwaysLoad": true])

  func call(_ arguments: InputObject, _ call: ToolCall) async throws(MemoryError) -> ToolResult {
    var arguments = arguments
    let text = try arguments.required("text")
    try arguments.domain(call)
    let status = try arguments.text("status") ?? "any"
    let limit = try arguments.integer("limit", in: 1...20, default: 5)
    let tokens = try arguments.integer("max_tokens", in: Self.budget, default: 1500)
    try arguments.end()
    var filter = Episode.Filter()
    switch status {
    case "any": break
    case "completed": filter.statuses = [.completed]
    case "failed": filter.statuses = [.failed]
    default:
      throw MemoryError(.invalid, "status is \"\(status.shortened(to: 40))\"; write any, completed or failed")
    }
    let hits = try await call.handle.recall(
      Query(text: text, scope: .domain(call.domain), filter: filter, limit: limit))
    guard !hits.isEmpty else {
      return ToolResult(["ids": [], "notes": "no recorded attempt matches"], text: "no recorded attempt matches")
    }
    return try await ToolResult.fitted(to: tokens) { room in
      let block = PromptBlock(hits, question: nil, tokens: room)
      return ToolResult(
        [
          "ids": .array(block.hits.map { .string($0.episode.id.rawValue) }), "notes": .string(block.text),
          "omitted": ["hits": JSON(block.omitted.hits), "steps": JSON(block.omitted.steps)],
        ], text: block.text)
    }
  }
}
