import AgentLogs
import Episodic
import EpisodicMemory
import Foundation
import TestSupport
import Testing

@Suite struct `Exported traces and trajectories` {
  private func telemetry(_ spans: [JSON]) -> String {
    let line: JSON = [
      "resourceSpans": [
        [
          "resource": ["attributes": [["key": "service.name", "value": ["stringValue": "shop"]]]],
          "scopeSpans": [["spans": .array(spans)]],
        ]
      ]
    ]
    return line.canonicalText
  }

  private func span(
    _ id: String, in parent: String?, _ name: String, at second: Int, code: Int = 0, _ attributes: [String: String]
  ) -> JSON {
    var span: JSON.Object = [
      "traceId": "t1", "spanId": .string(id), "name": .string(name), "status": ["code": JSON(code)],
      "startTimeUnixNano": .string("17642322\(second < 10 ? "0" : "")\(second)000000000"),
      "endTimeUnixNano": .string("17642322\(second < 10 ? "0" : "")\(second)250000000"),
      "attributes": .array(
        attributes.sorted { $0.key < $1.key }.map { key, value in
          ["key": .string(key), "value": ["stringValue": .string(value)]]
        }),
    ]
    span["parentSpanId"] = parent.map { .string($0) }
    return .object(span)
  }

  @Test func `spans of OpenTelemetry, children first, are an agent with its calls and an agent within it`() async throws
  {
    let fixture = try await LogFixture()
    let question = #"[{"role":"user","parts":[{"type":"text","content":"fix the login"}]}]"#
    try fixture.write(
      "spans.jsonl",
      [
        telemetry([
          span(
            "s3", in: "s2", "execute_tool grep", at: 4, code: 2,
            ["gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "grep", "error.type": "timeout"]),
          span(
            "s1", in: "s0", "execute_tool bash", at: 2,
            [
              "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "bash",
              "gen_ai.tool.call.arguments": #"{"command":"make"}"#, "gen_ai.tool.call.result": "ok",
            ]),
        ]),
        telemetry([
          span(
            "s2", in: "c1", "invoke_agent searcher", at: 3,
            ["gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "searcher"]),
          span("c1", in: "s0", "chat m", at: 3, ["gen_ai.operation.name": "chat", "gen_ai.input.messages": question]),
        ]),
        telemetry([
          span(
            "s0", in: nil, "invoke_agent fixer", at: 1,
            ["gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "fixer", "gen_ai.conversation.id": "conv"])
        ]),
      ])
    let report = try await fixture.take()
    #expect(report.added == 2 && report.steps == 2, "\(report)")
    let episodes = try await fixture.episodes()
    #expect(
      episodes.map { $0.metadata["agent"] } == ["fixer", "searcher"] && episodes.map(\.domain) == ["shop", "shop"])
    #expect(episodes[0].context == "fix the login" && episodes[0].session == "conv")
    #expect(episodes[0].steps.map(\.action) == ["make"] && episodes[0].steps[0].result == "ok")
    #expect(episodes[0].steps[0].duration == .milliseconds(250) && episodes[0].successRate == 1)
    #expect(episodes[1].steps.map(\.success) == [false])
    #expect(episodes[1].metadata["parent_episode"] == .string(episodes[0].id.rawValue))
    #expect(episodes[1].metadata["prompt_known"] == false && episodes[0].trust == .unverified)
    #expect(try await fixture.take().unchanged == 2)
  }

  @Test func `traces of the Agents SDK and runs of LangSmith are episodes, too`() async throws {
    let fixture = try await LogFixture()
    try fixture.write(
      "agents.jsonl",
      [
        #"{"object":"trace","id":"trace_1","workflow_name":"fix flaky","group_id":"conv1","metadata":null}"#,
        #"{"object":"trace.span","id":"span_2","trace_id":"trace_1","parent_id":"span_1","started_at":"2026-11-21T06:58:23.096560+00:00","ended_at":"2026-11-21T06:58:24.096560+00:00","span_data":{"type":"function","name":"bash","input":"{\"cmd\":\"ls\"}","output":"boom"},"error":{"message":"exit 2","data":{"code":2}}}"#,
        #"{"object":"trace.span","id":"span_1","trace_id":"trace_1","parent_id":null,"started_at":"2026-11-21T06:58:22+00:00","ended_at":"2026-11-21T06:58:25+00:00","span_data":{"type":"agent","name":"Fixer"},"error":null}"#,
        #"{"object":"trace.span","id":"span_3","trace_id":"trace_1","parent_id":"span_1","started_at":"2026-11-21T06:58:22+00:00","span_data":{"type":"handoff","from_agent":"a"},"error":null}"#,
      ])
    try fixture.write(
      "runs.jsonl",
      [
        #"{"id":"r2","trace_id":"r1","parent_run_id":"r1","name":"search","run_type":"tool","start_time":"2026-11-21T07:00:01","end_time":"2026-11-21T07:00:02","error":null,"inputs":{"input":"{'q': 1}"},"outputs":{"output":"found"}}"#,
        #"{"id":"r1","trace_id":"r1","parent_run_id":null,"name":"Answerer","run_type":"chain","start_time":"2026-11-21T07:00:00","end_time":"2026-11-21T07:00:03","error":"ValueError()","inputs":{"messages":[{"role":"user","content":"who"}]},"outputs":null,"session_name":"proj","extra":{"metadata":{"thread_id":"th"}}}"#,
      ])
    #expect(try await fixture.take().added == 2)
    let episodes = try await fixture.episodes()
    #expect(episodes[0].metadata["agent"] == "Fixer" && episodes[0].session == "conv1")
    #expect(episodes[0].domain == "fix flaky" && episodes[0].steps.map(\.action) == ["ls"])
    #expect(episodes[0].steps[0].success == false && episodes[0].steps[0].duration == .seconds(1))
    #expect(episodes[1].context == "who" && episodes[1].domain == "proj" && episodes[1].session == "th")
    #expect(episodes[1].status == .failed && episodes[1].metadata["verdict"] == "error")
    #expect(episodes[1].steps.map(\.action) == ["search {'q': 1}"] && episodes[1].steps[0].success == true)
  }

  @Test func `trajectories of SWE-agent and mini-swe-agent have no verdict if they were submitted`() async throws {
    let fixture = try await LogFixture()
    try fixture.write(
      "a.traj",
      """
      {
        "trajectory": [
          {"action": "ls\\n", "observation": "a\\r\\nb", "execution_time": 0.5},
          {"action": "", "observation": "nothing"}
        ],
        "history": [{"role": "user", "content": "a demonstration", "is_demo": true}, {"role": "user", "content": "fix it"}],
        "info": {"exit_status": "submitted"}
      }
      """)
    try fixture.write(
      "b.traj",
      #"{"trajectory_format":"mini-swe-agent-1.1","messages":[{"role":"system","content":"s"},{"role":"user","content":"do it"},{"role":"assistant","content":"I look.\n```bash\nls -l\n```"},{"role":"user","content":"<returncode>2</returncode>\nno"}],"info":{"exit_status":"LimitsExceeded"}}"#
    )
    try fixture.write("c.traj", "{\"trajectory\": [")
    try fixture.write("d.traj", "{}")
    let report = try await fixture.take()
    #expect(report.added == 2 && report.badLines == 1 && report.unknownFiles.count == 1, "\(report)")
    let episodes = try await fixture.episodes()
    let first = try #require(episodes.first { $0.context == "fix it" })
    #expect(first.status == .completed && first.metadata["verdict"] == .null && first.successRate == nil)
    #expect(first.steps.map(\.action) == ["ls"] && first.steps[0].result == "a\nb")
    #expect(first.steps[0].duration == .milliseconds(500))
    let second = try #require(episodes.first { $0.context == "do it" })
    #expect(second.status == .failed && second.metadata["verdict"] == "LimitsExceeded")
    #expect(second.steps.map(\.action) == ["ls -l"] && second.steps[0].success == false)
    #expect(try await fixture.take().unchanged == 2)
  }

  @Test func `circles of parents, orphans and a long chain of spans end`() async throws {
    let fixture = try await LogFixture()
    let tool = ["gen_ai.operation.name": "execute_tool"]
    var spans = [
      span("a", in: "b", "x", at: 1, [:]), span("b", in: "a", "y", at: 1, [:]), span("c", in: "a", "tool", at: 2, tool),
      span("o", in: "gone", "tool", at: 3, tool),
    ]
    for number in 0..<3000 { spans.append(span("n\(number)", in: "n\(number + 1)", "z", at: 4, [:])) }
    try fixture.write("spans.jsonl", [telemetry(spans)])
    let report = try await fixture.take()
    #expect(report.added == 1, "\(report)")
    #expect(try await fixture.episodes().first?.steps.count == 2)
  }
}
