import EpisodicMemory

/// A tool that a model can call.
protocol Tool: Sendable {
  static var name: String { get }
  var definition: ToolDefinition { get }

  /// - Parameter arguments: As the model wrote them, unchecked.
  /// - Throws: What the model or the user can do something about; it is answered as a result.
  func call(_ arguments: InputObject, _ call: ToolCall) async throws(MemoryError) -> ToolResult
}

/// What a model reads of a tool.
struct ToolDefinition {
  let name: String
  let title: String
  let description: String
  /// The members of the arguments with their schemas.
  let properties: JSON.Object
  let required: [String]
  let annotations: JSON
  var meta: JSON?

  var inputSchema: JSON {
    var schema: JSON.Object = ["type": "object", "properties": .object(properties)]
    if !required.isEmpty { schema["required"] = .array(required.map { .string($0) }) }
    return .object(schema)
  }

  var json: JSON {
    var members: JSON.Object = [
      "name": .string(name), "title": .string(title), "description": .string(description),
      "inputSchema": inputSchema, "annotations": annotations,
    ]
    members["_meta"] = meta
    return .object(members)
  }

  static func property(_ type: JSON, _ description: String) -> JSON {
    ["type": type, "description": .string(description)]
  }
}

/// What a call has besides its arguments.
struct ToolCall: Sendable {
  let memory: Memory
  /// The only domain that the call may see.
  let domain: String
  /// Who calls: the name of the client.
  let actor: String
  /// Characters of the arguments that could not be stored and were replaced.
  let repairs: Int
  /// Tells the client how far the call is, if it wants to know.
  let progress: @Sendable (String) -> Void

  var handle: DomainMemory { memory.domain(domain) }

  /// The error for an episode that is not in the domain.
  func noEpisode(_ id: String) -> MemoryError {
    MemoryError(
      .notFound,
      "there is no episode \"\(id.shortened(to: 60))\" in the domain \"\(domain)\"; recall names the ids there are")
  }
}

/// What a tool answers.
struct ToolResult {
  /// The whole answer for a program, and what clients show the model.
  let structured: JSON.Object
  /// The answer for clients that show texts only.
  let text: String
  var isError = false

  init(_ structured: JSON.Object, text: String? = nil) {
    self.structured = structured
    self.text = text ?? JSON.object(structured).outputText
  }

  /// An error that tells the model what to do.
  init(error message: String) {
    structured = ["error": .string(message)]
    text = message
    isError = true
  }

  /// By the form that has more of them.
  var tokens: Int { max(TokenEstimate.count(JSON.object(structured).outputText), TokenEstimate.count(text)) }

  /// Tries lengths of the notes until the whole answer has at most so many tokens.
  static func fitted(
    to tokens: Int, _ make: (Int) async throws(MemoryError) -> ToolResult
  ) async throws(MemoryError) -> ToolResult {
    var room = tokens
    while true {
      let result = try await make(room)
      let used = result.tokens
      guard used > tokens, room > PromptBlock.allowedTokens.lowerBound / 2 else { return result }
      room -= max(used - tokens, room / 16)
    }
  }
}

extension InputObject {
  /// A number in a range.
  mutating func integer(_ name: String, in range: ClosedRange<Int64>, default value: Int64) throws(MemoryError) -> Int {
    let number = try integer(name) ?? value
    guard range.contains(number) else {
      throw MemoryError(.invalid, "\(name) is \(number); it lies in \(range.lowerBound) to \(range.upperBound)")
    }
    return Int(clamping: number)
  }

  mutating func requiredBool(_ name: String) throws(MemoryError) -> Bool {
    guard let value = try bool(name) else {
      throw MemoryError(.invalid, "\(name) is missing; write true or false")
    }
    return value
  }

  /// The domain, which may be named though the server has only one.
  mutating func domain(_ call: ToolCall) throws(MemoryError) {
    guard let domain = try text("domain"), domain != call.domain else { return }
    throw MemoryError(
      .invalid, "domain is \"\(domain.shortened(to: 60))\"; this server has \"\(call.domain)\" only: leave it out")
  }
}
