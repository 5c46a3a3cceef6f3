import StoreValues

/// A prompt or a tool call that has been checked.
enum NewEntry: Sendable {
  case prompt(NewPrompt)
  case toolCall(NewToolCall)

  init(_ draft: Ledger.Entry.Draft, _ input: LedgerInput) throws(MemoryError) {
    switch draft {
    case .prompt(let draft): self = .prompt(try NewPrompt(draft, input))
    case .toolCall(let draft): self = .toolCall(try NewToolCall(draft, input))
    }
  }

  /// Micro-dollars.
  var cost: Int64 {
    switch self {
    case .prompt(let new): new.draft.cost
    case .toolCall(let new): new.draft.cost
    }
  }
}

struct NewPrompt: Sendable {
  let draft: Ledger.Prompt.Draft
  let status: Ledger.Prompt.Status
  let milliseconds: Int64?

  init(_ draft: Ledger.Prompt.Draft, _ input: LedgerInput) throws(MemoryError) {
    var draft = draft
    draft.model = draft.model?.canonicallyComposed
    try input.identifier(draft.id, "the prompt's id")
    try input.name(draft.name, "the prompt's name")
    try input.name(draft.model, "the prompt's model")
    try input.prompt(draft.text, "the prompt's text")
    try input.prompt(draft.response, "the prompt's response")
    try input.text(draft.error, "the prompt's error")
    try input.count(draft.tokensIn, "the prompt's tokensIn")
    try input.count(draft.tokensOut, "the prompt's tokensOut")
    try input.count(draft.cost, "the prompt's cost")
    try input.time(draft.at, "the prompt's time")
    milliseconds = try input.milliseconds(draft.latency, "the prompt's latency")
    status = draft.status ?? (draft.error != nil ? .failed : draft.response != nil ? .completed : .pending)
    if !status.isEnded, draft.response != nil {
      throw MemoryError(
        .invalid,
        "the prompt is \(status.rawValue) and has a response; leave one of both out, or say that it is completed")
    }
    if draft.error != nil, status != .failed, status != .cancelled {
      throw MemoryError(
        .invalid, "the prompt is \(status.rawValue) and has an error; leave the error out, or say failed")
    }
    self.draft = draft
  }

  func prompt(of run: Ledger.Run.ID, position: Int, at now: Timestamp) -> Ledger.Prompt {
    let created = draft.at ?? now
    return Ledger.Prompt(
      id: draft.id ?? .generate(at: created), run: run, position: position, type: draft.type, name: draft.name,
      text: draft.text, status: status, response: draft.response, model: draft.model, tokensIn: draft.tokensIn,
      tokensOut: draft.tokensOut, cost: draft.cost, latencyMilliseconds: milliseconds, error: draft.error,
      createdAt: created, completedAt: status.isEnded ? created : nil)
  }
}

struct NewToolCall: Sendable {
  let draft: Ledger.ToolCall.Draft
  let arguments: String
  let milliseconds: Int64?

  init(_ draft: Ledger.ToolCall.Draft, _ input: LedgerInput) throws(MemoryError) {
    var draft = draft
    draft.tool = draft.tool.canonicallyComposed
    try input.identifier(draft.id, "the tool call's id")
    try input.identifier(draft.prompt, "the tool call's prompt")
    try input.name(draft.tool, "the tool call's tool")
    try input.prompt(draft.result, "the tool call's result")
    try input.text(draft.error, "the tool call's error")
    try input.count(draft.tokens, "the tool call's tokens")
    try input.count(draft.cost, "the tool call's cost")
    try input.time(draft.at, "the tool call's time")
    milliseconds = try input.milliseconds(draft.duration, "the tool call's duration")
    arguments = try input.json(draft.arguments, "the tool call's arguments")
    self.draft = draft
  }

  func call(of run: Ledger.Run.ID, position: Int, at now: Timestamp) -> Ledger.ToolCall {
    let created = draft.at ?? now
    return Ledger.ToolCall(
      id: draft.id ?? .generate(at: created), run: run, prompt: draft.prompt, position: position, tool: draft.tool,
      arguments: draft.arguments, result: draft.result, success: draft.success, error: draft.error,
      durationMilliseconds: milliseconds, tokens: draft.tokens, cost: draft.cost, createdAt: created)
  }
}
