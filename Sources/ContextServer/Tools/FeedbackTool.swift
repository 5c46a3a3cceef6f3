import EpisodicMemory

struct FeedbackTool: Tool {
  static let name = "feedback"
  private static let member = "feedback"
  /// Notes that are kept, the newest ones.
  private static let maximumNotes = 5
  private static let noteBytes = 1000

  let definition = ToolDefinition(
    name: Self.name, title: "Say whether a memory helped",
    description: "Says whether a recalled attempt or pattern helped, so that later recalls can know.",
    properties: [
      "id": ToolDefinition.property("string", "From recall."),
      "helped": ["type": "boolean"],
      "note": ToolDefinition.property("string", "Why, in a sentence."),
    ],
    required: ["id", "helped"],
    annotations: ["readOnlyHint": false, "destructiveHint": false, "idempotentHint": false, "openWorldHint": false])

  func call(_ arguments: InputObject, _ call: ToolCall) async throws(MemoryError) -> ToolResult {
    var arguments = arguments
    let id = try arguments.required("id")
    let helped = try arguments.requiredBool("helped")
    let note = try arguments.text("note")
    try arguments.domain(call)
    try arguments.end()
    if let note, note.utf8.count > Self.noteBytes {
      throw MemoryError(.invalid, "note has \(note.utf8.count) bytes; write at most \(Self.noteBytes)")
    }
    guard try await call.handle.episode(Episode.ID(id), steps: .none) != nil else {
      return try await markPattern(id, helped, call)
    }
    let (domain, kept) = (call.domain, note.map { CredentialRedactor.redact($0).text })
    let uses = try await call.memory.write { batch throws(MemoryError) in
      guard let episode = try batch.episode(Episode.ID(id)), episode.domain == domain else { throw call.noEpisode(id) }
      let (metadata, uses) = Self.adding(helped, kept, to: episode.metadata)
      try batch.update(episode.id, with: Episode.Change(metadata: metadata))
      return uses
    }
    return ToolResult(["id": .string(id), "helped": .bool(helped), "uses": JSON(uses)])
  }

  private func markPattern(_ id: String, _ helped: Bool, _ call: ToolCall) async throws(MemoryError) -> ToolResult {
    do throws(MemoryError) {
      let pattern = try await call.handle.markUsed(Pattern.ID(id), succeeded: helped)
      return ToolResult(["id": .string(id), "helped": .bool(helped), "uses": JSON(pattern.usageCount)])
    } catch {
      guard error.code == .notFound else { throw error }
      throw call.noEpisode(id)
    }
  }

  /// Metadata with one more use: `"feedback": {"helped": 2, "notes": ["…"], "unhelpful": 1}`.
  ///
  /// A member of this name that has another form is replaced only where it has to be.
  private static func adding(_ helped: Bool, _ note: String?, to metadata: JSON) -> (JSON, uses: Int) {
    var members = metadata.members ?? [:]
    var feedback = members[member]?.members ?? [:]
    func count(_ name: String) -> Int64 {
      guard case .integer(let count)? = feedback[name] else { return 0 }
      return min(max(0, count), Int64.max / 4)
    }
    let (good, bad) = (count("helped") + (helped ? 1 : 0), count("unhelpful") + (helped ? 0 : 1))
    feedback["helped"] = .integer(good)
    feedback["unhelpful"] = .integer(bad)
    if let note {
      var notes: [JSON] = []
      if case .array(let earlier)? = feedback["notes"] { notes = earlier }
      feedback["notes"] = .array(Array((notes + [.string(note)]).suffix(maximumNotes)))
    }
    members[member] = .object(feedback)
    return (.object(members), Int(clamping: good + bad))
  }
}
