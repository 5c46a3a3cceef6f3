import EpisodicMemory

struct RecordTool: Tool {
  static let name = "record"
  /// Tools whose output is what a stranger may have written, though no source is named.
  private static let webTools: Set = ["webfetch", "websearch", "web_fetch", "web_search", "fetch", "browser"]

  let definition = ToolDefinition(
    name: Self.name, title: "Record an attempt",
    description: """
      Records an attempt when a task ends, failures too. The id of an earlier call adds steps to it or ends it; the same call \
      twice is recorded once.
      """,
    properties: [
      "id": ToolDefinition.property("string", "Choose one to retry or go on later; made if left out."),
      "context": ToolDefinition.property("string", "The task in words, and what was learned."),
      "task_type": ToolDefinition.property("string", "Such as debugging or testing; coding if left out."),
      "status": [
        "type": "string", "enum": ["completed", "failed", "active"], "description": "active: more steps will follow.",
      ],
      "steps": [
        "type": "array",
        "items": [
          "type": "object",
          "properties": [
            "action": ToolDefinition.property("string", "Command or edit."),
            "result": ToolDefinition.property("string", "Output or error, shortened."),
            "tool": ["type": "string"], "success": ["type": "boolean"],
            "source": ToolDefinition.property("string", "Web address, if the result is from there."),
          ], "required": ["action"],
        ],
      ],
      "session": ToolDefinition.property("string", "Groups attempts."),
    ],
    required: ["status"],
    annotations: ["readOnlyHint": false, "destructiveHint": false, "idempotentHint": false, "openWorldHint": false])

  func call(_ arguments: InputObject, _ call: ToolCall) async throws(MemoryError) -> ToolResult {
    let request = try Request(arguments, call)
    let domain = call.domain
    let written = try await call.memory.write { batch throws(MemoryError) in
      try request.write(in: domain, batch)
    }
    var members: JSON.Object = [
      "id": .string(request.id.rawValue), "status": .string(written.status.rawValue),
      "steps_total": JSON(written.steps), "durable": true,
    ]
    if written.isRepeated { members["repeated"] = true }
    if written.status == .active, request.steps.last?.success == false {
      // What past runs of the same client say after a step that failed.
      let advice = try await call.memory.guidance(for: request.id, limit: 2)
      if !advice.isEmpty { members["advice"] = .array(advice.map { .string($0.text.onOneLine) }) }
    }
    if request.redacted > 0 { members["credentials_removed"] = JSON(request.redacted) }
    if call.repairs > 0 { members["characters_replaced"] = JSON(call.repairs) }
    return ToolResult(members)
  }

  private struct Written: Sendable {
    let status: Episode.Status
    let steps: Int
    let isRepeated: Bool
  }

  /// A call whose arguments have the right form.
  private struct Request: Sendable {
    let id: Episode.ID
    let taskType: TaskType?
    let context: String?
    let session: String?
    let status: Episode.Status
    let steps: [Step.Draft]
    let provenance: Provenance
    /// Of the steps: the same steps under the same id are the same request.
    let key: String
    private(set) var redacted = 0

    init(_ arguments: InputObject, _ call: ToolCall) throws(MemoryError) {
      var arguments = arguments
      let id = try arguments.text("id")
      var redacted = 0
      func clean(_ text: String?) -> String? {
        guard let text else { return nil }
        let clean = CredentialRedactor.redact(text)
        redacted += clean.count
        return clean.text
      }
      context = clean(try arguments.text("context"))
      taskType = try arguments.text("task_type").map { TaskType($0) }
      session = try arguments.text("session")
      try arguments.domain(call)
      guard let status = try Episode.Status(member: "status", of: &arguments), status != .archived else {
        throw MemoryError(.invalid, "status is missing or archived; write completed, failed or active")
      }
      self.status = status
      let values = try arguments.array("steps") ?? []
      try arguments.end()
      var steps: [Step.Draft] = []
      for (index, value) in values.enumerated() {
        do throws(MemoryError) {
          steps.append(try Self.step(value, clean))
        } catch {
          throw error.naming(place: "steps[\(index)]")
        }
      }
      self.steps = steps
      self.redacted = redacted
      provenance = Provenance(.agent, actor: call.actor)
      if let id {
        guard !id.isEmpty else { throw MemoryError(.invalid, "id is empty; choose one, or leave it out") }
        self.id = Episode.ID(id)
      } else {
        guard context != nil else {
          throw MemoryError(.invalid, "context is missing; write the task in words, or the id of an earlier call")
        }
        self.id = .generate(at: SystemClock().now())
      }
      key = "mcp-" + JSON.array([.string(self.id.rawValue), .array(values)]).canonicalHash
    }

    private static func step(_ value: JSON, _ clean: (String?) -> String?) throws(MemoryError) -> Step.Draft {
      var object = try InputObject(value, as: "a step", place: "it")
      let action = clean(try object.required("action")) ?? ""
      let result = clean(try object.text("result"))
      let tool = try object.text("tool")
      let success = try object.bool("success")
      let source = try object.text("source")
      try object.end()
      return Step.Draft(
        action, result: result, tool: tool, success: success, provenance: provenance(source, tool), overlong: .cut)
    }

    private static func provenance(_ source: String?, _ tool: String?) -> Provenance {
      let isPage = source.map { $0.lowercased().hasPrefix("http://") || $0.lowercased().hasPrefix("https://") } ?? false
      if isPage || tool.map({ webTools.contains($0.lowercased()) }) ?? false {
        return Provenance(.web, id: source)
      }
      return source.map { Provenance(.tool, id: $0) } ?? Provenance()
    }

    /// Begins the episode or goes on with it, in one transaction.
    func write(in domain: String, _ batch: borrowing Memory.Batch) throws(MemoryError) -> Written {
      guard let existing = try batch.episode(id) else { return try begin(in: domain, batch) }
      guard existing.domain == domain else {
        throw MemoryError(.conflict, "the id \"\(id.rawValue.shortened(to: 60))\" is taken; choose another")
      }
      try requireSame(existing)
      let before = existing.stepCount
      var status = existing.status
      if !steps.isEmpty {
        do throws(MemoryError) {
          try batch.append(steps, to: id, idempotencyKey: key)
        } catch {
          guard error.code == .conflict, status != .active else { throw error }
          throw MemoryError(
            .conflict, "the attempt \"\(id.rawValue.shortened(to: 60))\" is \(status.rawValue); record with another id",
            cause: error)
        }
      }
      if self.status != status, self.status != .active {
        guard status == .active else {
          throw MemoryError(
            .conflict,
            "the attempt \"\(id.rawValue.shortened(to: 60))\" is \(status.rawValue), not \(self.status.rawValue); "
              + "record with another id")
        }
        status = try end(batch).status
      }
      let after = try batch.episode(id)?.stepCount ?? before
      return Written(status: status, steps: after, isRepeated: after == before && status == existing.status)
    }

    private func begin(in domain: String, _ batch: borrowing Memory.Batch) throws(MemoryError) -> Written {
      guard let context else {
        throw MemoryError(
          .notFound,
          "there is no attempt \"\(id.rawValue.shortened(to: 60))\" to go on with; write context to begin one")
      }
      try batch.begin(
        Episode.Draft(
          taskType ?? "coding", domain: domain, context: context, session: session,
          // By which learning counts.
          metadata: ["agent": .string(provenance.actor ?? "mcp")], id: id, provenance: provenance))
      if !steps.isEmpty { try batch.append(steps, to: id, idempotencyKey: key) }
      let status = self.status == .active ? .active : try end(batch).status
      return Written(status: status, steps: steps.count, isRepeated: false)
    }

    private func end(_ batch: borrowing Memory.Batch) throws(MemoryError) -> Episode {
      status == .failed ? try batch.fail(id) : try batch.complete(id)
    }

    /// - Throws: `.conflict` if the call says something else of the episode than it has.
    private func requireSame(_ episode: Episode) throws(MemoryError) {
      let differing =
        context.map { $0 != episode.context } ?? false
        ? "context" : taskType.map { $0 != episode.taskType } ?? false ? "task_type" : nil
      guard let differing else { return }
      throw MemoryError(
        .conflict,
        "the id \"\(id.rawValue.shortened(to: 60))\" is of an attempt with another \(differing); choose another id, or "
          + "leave \(differing) out to add steps")
    }
  }
}
