import AgentLedger
import Foundation
import StoreValues
import TestSupport
import Testing

@Suite struct `The JSON form of runs` {
  private let clock = ManualClock()

  /// The names that a value has as JSON; it must come back the same.
  private func names<Value: Codable & Equatable>(_ value: Value) throws -> Set<String> {
    let data = try JSONEncoder().encode(value)
    #expect(try JSONDecoder().decode(Value.self, from: data) == value)
    let members = try #require(try JSON(text: String(decoding: data, as: UTF8.self)).members)
    return Set(members.map(\.name))
  }

  @Test func `values have the names of the ledger's fields, and come back the same`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let agent = try await ledger.add(Ledger.Agent.Draft("a", type: .builder, capabilities: ["x"], defaultModel: "m"))
    #expect(
      try names(agent)
        == ["id", "name", "type", "capabilities", "default_model", "created_at", "updated_at"])
    let task = try await ledger.add(Ledger.Task.Draft("t", domain: "d")).task.id
    var draft = Ledger.Run.Draft(
      .testing, context: "c", session: "s", agent: agent.id, task: task,
      parent: try await ledger.start(.init(.testing, domain: "d")).id, status: .executing, id: "r")
    draft.pid = 7
    try await ledger.start(draft)
    let prompt = try await ledger.add(
      Ledger.Prompt.Draft("ask", response: "so", model: "m", cost: 1, latency: .milliseconds(20)), to: "r")
    #expect(
      try names(prompt)
        == [
          "id", "run_id", "position", "type", "text", "response", "status", "model", "tokens_in", "tokens_out", "cost",
          "latency_ms", "created_at", "completed_at",
        ])
    let call = try await ledger.add(
      Ledger.ToolCall.Draft(
        "bash", result: "ok", success: true, error: "none", duration: .seconds(1), prompt: prompt.id), to: "r")
    #expect(
      try names(call)
        == [
          "id", "run_id", "prompt_id", "position", "tool", "arguments", "result", "success", "error", "duration_ms",
          "tokens", "cost", "created_at",
        ])
    #expect(try names(Ledger.Entry.prompt(prompt)) == ["prompt"])
    #expect(try names(Ledger.Entry.toolCall(call)) == ["tool_call"])
    let run = try await ledger.finish(run: "r", as: .failed, successRate: 0.5, error: "why")
    #expect(
      try names(run)
        == [
          "id", "agent_id", "session", "parent_id", "task_id", "domain", "task_type", "status", "context", "config",
          "success_rate", "cost", "error", "pid", "last_heartbeat", "started_at", "completed_at",
        ])
    #expect(try names(try #require(try await ledger.tree(of: "r").first)) == ["run", "depth"])
    try await ledger.log(.init("m", level: .error, errorType: .api, run: "r", task: task))
    let event = try #require(try await ledger.events().first)
    #expect(
      try names(event)
        == [
          "number", "level", "kind", "component", "error_type", "run_id", "task_id", "message", "details", "created_at",
        ]
    )
    try await ledger.record(.init(.write, of: "/a", run: "r", task: task))
    let access = try #require(try await ledger.fileAccesses().first)
    #expect(try names(access) == ["number", "path", "operation", "run_id", "task_id", "at"])
    try await ledger.record(.init(1, of: .cpu, labels: ["host": "a"]))
    let sample = try #require(try await ledger.samples(of: .cpu, in: .last(.seconds(1))).first)
    #expect(try names(sample) == ["series", "value", "at"])
    let summary = try await ledger.summary(of: .cpu, in: .last(.seconds(1)))
    #expect(try names(summary) == ["start", "end", "count", "sum", "minimum", "maximum", "percentiles"])
  }
}
