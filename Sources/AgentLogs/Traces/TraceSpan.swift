import EpisodicMemory

/// A piece of work in a trace, whoever exported it.
struct TraceSpan {
  enum Kind {
    /// Work for a task: an episode.
    case agent
    /// A call of a tool: a step.
    case tool
    case other
  }

  let trace: String
  let id: String
  var parent: String?
  var kind = Kind.other
  /// Of the agent or the tool.
  var name: String
  var start: Timestamp?
  var end: Timestamp?
  /// Of a tool.
  var arguments: JSON = .null
  var output: String?
  var hasFailed = false
  /// What was asked for and answered, of an agent or of a call of its model.
  var prompt: String?
  var answer: String?
  var agent: String?
  var model: String?
  var session: String?
  /// The service or project that it is of.
  var project: String?

  var bytes: Int { 300 + (output?.utf8.count ?? 0) + (prompt?.utf8.count ?? 0) + (answer?.utf8.count ?? 0) }

  var duration: Duration? {
    guard let start, let end, end >= start else { return nil }
    return .milliseconds(end.milliseconds - start.milliseconds)
  }
}

/// A form in which spans are exported, one record a line.
protocol SpanDialect {
  /// Names the form in the ids and the metadata of episodes.
  static var name: String { get }
  /// The member that tells record types, and those that are read; none if every record is.
  static var discriminator: StaticString { get }
  static var types: Set<String> { get }

  static func spans(_ record: JSON.Object) -> [TraceSpan]
}

extension JSON {
  /// A text, or the JSON that it is.
  var plainText: String? {
    switch self {
    case .null: nil
    case .string(let text): text.isEmpty ? nil : text
    default: canonicalText
    }
  }

  /// The last text of a role in messages: `[{"role": "user", "content": …}]`, with text as a string or in parts.
  static func message(of roles: Set<String>, in messages: JSON, first: Bool) -> String? {
    var messages = messages
    // Attributes have JSON as a text.
    if case .string(let text) = messages { messages = parsed(text) ?? messages }
    guard case .array(let elements) = messages else { return nil }
    let texts = elements.lazy.compactMap { element -> String? in
      guard let message = element.members, roles.contains(message.text("role") ?? "") else { return nil }
      if let text = message.text("content") { return text }
      let parts = message.array("parts") + message.array("content")
      let texts = parts.compactMap { $0.members?.text("content") ?? $0.members?.text("text") }
      return texts.isEmpty ? nil : texts.joined(separator: "\n")
    }
    return first ? texts.first : Array(texts).last
  }

  /// `nil` if the text is no JSON.
  static func parsed(_ text: String) -> JSON? {
    do throws(MemoryError) {
      return try JSON(text: text)
    } catch {
      return nil
    }
  }
}
