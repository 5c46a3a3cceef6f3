import EpisodicMemory

struct ForgetTool: Tool {
  static let name = "forget"

  let definition = ToolDefinition(
    name: Self.name, title: "Forget an attempt",
    description: "Erases one attempt for good. Only if the user asks for it.",
    properties: ["id": ToolDefinition.property("string", "Of the attempt.")],
    required: ["id"],
    annotations: ["readOnlyHint": false, "destructiveHint": true, "idempotentHint": true, "openWorldHint": false])

  func call(_ arguments: InputObject, _ call: ToolCall) async throws(MemoryError) -> ToolResult {
    var arguments = arguments
    let id = try arguments.required("id")
    try arguments.domain(call)
    try arguments.end()
    do throws(MemoryError) {
      let receipt = try await call.handle.forget(.episodes([Episode.ID(id)])) { call.progress($0.stage.rawValue) }
      return ToolResult([
        "receipt": .string(receipt.id.rawValue), "erased": ["episodes": JSON(receipt.counts.episodes)],
        "id": .string(id),
      ])
    } catch {
      guard error.code == .notFound else { throw error }
      // The second of two equal calls has done what was asked for, too.
      return ToolResult(["erased": ["episodes": 0], "id": .string(id), "note": "there is no such attempt"])
    }
  }
}
