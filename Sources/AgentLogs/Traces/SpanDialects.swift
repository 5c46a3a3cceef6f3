import EpisodicMemory

/// Traces of OpenTelemetry as JSON, an export a line: `{"resourceSpans": […]}`, with the conventions for generative AI, of
/// OpenInference or of OpenLLMetry.
enum OpenTelemetrySpans: SpanDialect {
  static let name = "otel"
  static let discriminator: StaticString = ""
  static let types: Set<String> = []

  static func spans(_ record: JSON.Object) -> [TraceSpan] {
    record.array("resourceSpans").compactMap(\.members).flatMap { resource in
      let service = attributes(resource.object("resource"))["service.name"]?.plainText
      let scopes = resource.array("scopeSpans") + resource.array("instrumentationLibrarySpans")
      return scopes.compactMap(\.members).flatMap { scope in
        scope.array("spans").compactMap(\.members).compactMap { span($0, service) }
      }
    }
  }

  private static func span(_ record: JSON.Object, _ service: String?) -> TraceSpan? {
    guard let trace = record.name("traceId"), let id = record.name("spanId") else { return nil }
    let attributes = attributes(record)
    func text(_ names: String...) -> String? { names.lazy.compactMap { attributes[$0]?.plainText }.first }
    let title = record.name("name") ?? "a span"
    var span = TraceSpan(trace: trace, id: id, parent: record.name("parentSpanId"), name: title)
    span.start = time(record, "startTimeUnixNano")
    span.end = time(record, "endTimeUnixNano")
    span.kind = kind(text("gen_ai.operation.name", "openinference.span.kind", "traceloop.span.kind"), title)
    let code = record.object("status")["code"]
    span.hasFailed = code == 2 || code == "STATUS_CODE_ERROR" || attributes["error.type"] != nil
    span.agent = text("gen_ai.agent.name", "agent.name")
    span.model = text("gen_ai.response.model", "gen_ai.request.model", "llm.model_name")
    span.session = text("gen_ai.conversation.id", "session.id", "traceloop.association.properties.session_id")
    span.project = service
    switch span.kind {
    case .tool:
      let named = title.split(separator: " ").last.map(String.init)
      span.name = text("gen_ai.tool.name", "tool.name", "traceloop.entity.name") ?? named ?? title
      let arguments = text("gen_ai.tool.call.arguments", "input.value", "traceloop.entity.input")
      span.arguments = arguments.map { JSON.parsed($0) ?? .string($0) } ?? .null
      span.output = text("gen_ai.tool.call.result", "output.value", "traceloop.entity.output")
    default:
      span.prompt =
        attributes["gen_ai.input.messages"].flatMap { JSON.message(of: ["user"], in: $0, first: true) }
        ?? text("gen_ai.prompt.0.content")
        ?? (span.kind == .agent ? text("input.value", "traceloop.entity.input") : nil)
      span.answer =
        attributes["gen_ai.output.messages"].flatMap { JSON.message(of: ["assistant"], in: $0, first: false) }
        ?? text("gen_ai.completion.0.content")
        ?? (span.kind == .agent ? text("output.value", "traceloop.entity.output") : nil)
    }
    return span
  }

  private static func kind(_ operation: String?, _ title: String) -> TraceSpan.Kind {
    switch operation?.lowercased() {
    case "invoke_agent", "invoke_workflow", "agent", "workflow": .agent
    case "execute_tool", "tool": .tool
    case nil: title.hasPrefix("execute_tool ") ? .tool : title.hasPrefix("invoke_agent ") ? .agent : .other
    default: .other
    }
  }

  /// Nanoseconds, usually as a text.
  private static func time(_ record: JSON.Object, _ name: String) -> Timestamp? {
    let nanoseconds: Int64? =
      switch record[name] {
      case .string(let text)?: Int64(text)
      case .integer(let number)?: number
      default: nil
      }
    return nanoseconds.flatMap { $0 > 0 ? Timestamp(milliseconds: $0 / 1_000_000) : nil }
  }

  private static func attributes(_ owner: JSON.Object) -> [String: JSON] {
    var values: [String: JSON] = [:]
    for attribute in owner.array("attributes").compactMap(\.members) {
      guard let key = attribute.text("key"), let value = attribute.object("value").first else { continue }
      // `{"stringValue": …}`, `{"intValue": "5"}`, and so on: the value of the only member.
      values[key] = value.value
    }
    return values
  }
}

/// Traces of the OpenAI Agents SDK, an exported trace or span a line.
enum AgentsSDKSpans: SpanDialect {
  static let name = "openai-agents"
  static let discriminator: StaticString = "object"
  static let types: Set<String> = ["trace", "trace.span"]

  static func spans(_ record: JSON.Object) -> [TraceSpan] {
    guard let id = record.name("id") else { return [] }
    guard record.text("object") == "trace.span" else {
      var root = TraceSpan(trace: id, id: id, name: record.name("workflow_name") ?? "a workflow")
      root.kind = .agent
      root.session = record.name("group_id")
      root.project = record.name("workflow_name")
      return [root]
    }
    guard let trace = record.name("trace_id") else { return [] }
    let data = record.object("span_data")
    var span = TraceSpan(
      trace: trace, id: id, parent: record.name("parent_id") ?? trace, name: data.name("name") ?? "a span")
    span.start = record.time("started_at")
    span.end = record.time("ended_at")
    span.hasFailed = record["error"]?.members != nil
    switch data.text("type") {
    case "function":
      span.kind = .tool
      span.arguments = data.text("input").map { JSON.parsed($0) ?? .string($0) } ?? data["input"] ?? .null
      // An error that the SDK made a text of the output is only that: nobody says that the call failed.
      span.output = data["output"]?.plainText ?? record.object("error").text("message")
    case "agent": span.agent = span.name
    case "generation":
      span.model = data.name("model")
      span.prompt = data["input"].flatMap { JSON.message(of: ["user"], in: $0, first: true) }
      span.answer = data["output"].flatMap { JSON.message(of: ["assistant"], in: $0, first: false) }
    default: break
    }
    return [span]
  }
}

/// Runs of LangSmith, a run a line.
enum LangSmithSpans: SpanDialect {
  static let name = "langsmith"
  static let discriminator: StaticString = ""
  static let types: Set<String> = []

  static func spans(_ record: JSON.Object) -> [TraceSpan] {
    guard let id = record.name("id"), let type = record.name("run_type") else { return [] }
    var span = TraceSpan(
      trace: record.name("trace_id") ?? id, id: id, parent: record.name("parent_run_id"),
      name: record.name("name") ?? type)
    span.start = time(record, "start_time")
    span.end = time(record, "end_time")
    span.hasFailed = record.text("error") != nil
    let metadata = record.object("extra").object("metadata")
    span.session = metadata.name("thread_id") ?? metadata.name("session_id")
    span.project = record.name("session_name")
    span.model = metadata.name("ls_model_name")
    let (inputs, outputs) = (record.object("inputs"), record.object("outputs"))
    if type == "tool" {
      span.kind = .tool
      span.arguments =
        inputs["input"].map { value in value.plainText.flatMap(JSON.parsed) ?? value } ?? record["inputs"] ?? .null
      span.output = record.text("error") ?? outputs["output"]?.plainText ?? record["outputs"]?.plainText
    } else {
      if span.parent == nil { span.kind = .agent }
      span.prompt =
        inputs["messages"].flatMap { JSON.message(of: ["user", "human"], in: $0, first: true) }
        ?? (span.kind == .agent ? inputs.text("input") ?? inputs.text("question") : nil)
      span.answer =
        outputs["messages"].flatMap { JSON.message(of: ["assistant", "ai"], in: $0, first: false) }
        ?? (span.kind == .agent ? outputs.text("output") ?? outputs.text("answer") : nil)
    }
    return [span]
  }

  /// Without a zone it is UTC.
  private static func time(_ record: JSON.Object, _ name: String) -> Timestamp? {
    record.time(name) ?? record.text(name).flatMap { Timestamp($0 + "Z") }
  }
}
