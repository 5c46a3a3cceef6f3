import EpisodicMemory

/// Spans of traces, children often before their parents, and those of a trace over many lines.
struct TraceLog<Dialect: SpanDialect>: LogParser {
  static var discriminator: StaticString { Dialect.discriminator }
  static var types: Set<String> { Dialect.types }

  /// Bytes of spans that are held; beyond, the trace that was not added to for the longest time is taken as whole.
  private static var heldBytes: Int { 32 << 20 }

  private var traces: [String: (spans: [TraceSpan], bytes: Int, touched: Int)] = [:]
  private var bytes = 0
  private var records = 0
  private var finished: [LoggedEpisode] = []

  mutating func read(_ record: JSON.Object, _ type: String, _ counts: inout LogReport.Counts) {
    records += 1
    for span in Dialect.spans(record) {
      var trace = traces.removeValue(forKey: span.trace) ?? ([], 0, 0)
      trace.spans.append(span)
      trace.bytes += span.bytes
      trace.touched = records
      bytes += span.bytes
      traces[span.trace] = trace
    }
    while bytes > Self.heldBytes, let oldest = traces.min(by: { $0.value.touched < $1.value.touched })?.key {
      close(oldest)
    }
  }

  mutating func takeFinished() -> [LoggedEpisode] {
    defer { finished = [] }
    return finished
  }

  mutating func finish(isGrowing: Bool) -> [LoggedEpisode] {
    for trace in traces.sorted(by: { $0.value.touched < $1.value.touched }) { close(trace.key) }
    return takeFinished()
  }

  private mutating func close(_ name: String) {
    guard let trace = traces.removeValue(forKey: name) else { return }
    bytes -= trace.bytes
    finished += Trace(trace.spans).episodes(Dialect.name)
  }
}

/// The spans of one trace.
private struct Trace {
  private let spans: [String: TraceSpan]
  /// Ids of agents, in the order of their beginnings.
  private let agents: [String]
  /// The nearest agent above each span.
  private var owners: [String: String] = [:]
  /// Spans by their owners, in the order of their beginnings; the agent itself among its own.
  private var inside: [String: [TraceSpan]] = [:]

  init(_ all: [TraceSpan]) {
    // One that was exported twice is one.
    let known = Dictionary(all.map { ($0.id, $0) }, uniquingKeysWith: { _, last in last })
    spans = known
    let sorted = known.values.sorted { ($0.start ?? .distant, $0.id) < ($1.start ?? .distant, $1.id) }
    let marked = sorted.filter { $0.kind == .agent }.map(\.id)
    // Else the root, whose parent may be in another service.
    let root = sorted.first { span in span.parent.map { known[$0] == nil } ?? true }
    agents = marked.isEmpty ? root.map { [$0.id] } ?? [] : marked
    let agentIDs = Set(agents)
    for span in sorted {
      let owner = Self.owner(of: span, known, agentIDs, &owners)
      if agentIDs.contains(span.id) {
        inside[span.id, default: []].append(span)
      } else if let owner = owner ?? agents.first {
        // One whose parents are not known is of the first agent.
        inside[owner, default: []].append(span)
      }
    }
  }

  /// The nearest agent above a span, kept for those on the way.
  private static func owner(
    of span: TraceSpan, _ spans: [String: TraceSpan], _ agents: Set<String>, _ owners: inout [String: String]
  ) -> String? {
    var path = [span.id]
    var seen: Set = [span.id]
    var next = span.parent
    var owner: String?
    while let id = next, let parent = spans[id], seen.insert(id).inserted {
      if agents.contains(id) { owner = id } else if let known = owners[id] { owner = known }
      if owner != nil { break }
      path.append(id)
      next = parent.parent
    }
    if let owner { for id in path { owners[id] = owner } }
    return owner
  }

  func episodes(_ form: String) -> [LoggedEpisode] {
    agents.compactMap { id in
      guard let span = spans[id] else { return nil }
      let inside = inside[id] ?? []
      var episode = episode(span, inside, form)
      for tool in inside where tool.kind == .tool {
        episode.add(step(tool))
        if let output = tool.output { episode.setOutput(output, of: tool.id) }
        episode.note(time: tool.end ?? tool.start)
      }
      // An agent that was neither asked anything nor did anything says nothing.
      let isEmpty = episode.steps.isEmpty && episode.answer == nil && episode.metadata["prompt_known"] == false
      return isEmpty ? nil : episode
    }
  }

  private func episode(_ span: TraceSpan, _ inside: [TraceSpan], _ form: String) -> LoggedEpisode {
    let prompt = span.prompt ?? inside.lazy.compactMap(\.prompt).first
    let named = span.agent ?? inside.lazy.compactMap(\.agent).first ?? span.name
    let agent = named.onOneLine.cut(toBytes: 256)
    var episode = LoggedEpisode(
      id: Self.id(form, span), agent: agent.isEmpty ? form : agent, session: span.session, directory: nil,
      prompt: prompt ?? "\(span.name), whose trace has no prompt", begin: span.start,
      provenance: Provenance(.imported, id: form, actor: agent.isEmpty ? form : agent))
    episode.domain = (span.project ?? inside.lazy.compactMap(\.project).first ?? form).onOneLine.cut(toBytes: 256)
    episode.answer = span.answer ?? inside.reversed().lazy.compactMap(\.answer).first
    episode.note(time: span.end)
    episode.metadata["source"] = .string(form)
    episode.metadata["source_id"] = .string("\(span.trace) \(span.id)")
    episode.metadata["prompt_known"] = .bool(prompt != nil)
    episode.metadata["model"] = inside.lazy.compactMap(\.model).first.map { .string($0) }
    if let parent = owners[span.id], let other = spans[parent] {
      episode.metadata["parent_episode"] = .string(Self.id(form, other).rawValue)
    }
    if span.hasFailed { episode.ending = .failed("error") }
    return episode
  }

  private static func id(_ form: String, _ span: TraceSpan) -> Episode.ID {
    Episode.ID("trace-" + JSON.array([.string(form), .string(span.trace), .string(span.id)]).canonicalHash.prefix(24))
  }

  private func step(_ span: TraceSpan) -> AgentStep {
    var step = AgentStep(
      tool: span.name, call: span.id, action: AgentStep.action(span.name, span.arguments), timestamp: span.start)
    step.success = !span.hasFailed
    step.duration = span.duration
    return step
  }
}

extension Timestamp {
  /// After every time that a span has.
  fileprivate static var distant: Timestamp { Timestamp(milliseconds: .max) }
}
