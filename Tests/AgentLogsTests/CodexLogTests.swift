import AgentLogs
import Episodic
import EpisodicMemory
import Foundation
import TestSupport
import Testing

@Suite struct `Logs of Codex` {
  private func line(_ type: String, _ payload: JSON, at second: Int) -> String {
    let line: JSON = ["timestamp": Claude.time(second), "type": .string(type), "payload": payload]
    return line.canonicalText
  }

  private func session(_ id: String) -> String {
    line("session_meta", ["id": .string(id), "cwd": "/src/shop", "cli_version": "0.163.0"], at: 0)
  }

  private func call(_ id: String, _ command: String, at second: Int) -> String {
    let arguments: JSON = ["cmd": .string(command)]
    return line(
      "response_item",
      [
        "type": "function_call", "name": "exec_command", "arguments": .string(arguments.canonicalText),
        "call_id": .string(id),
      ], at: second)
  }

  private func output(_ id: String, _ text: String, at second: Int) -> String {
    line(
      "response_item", ["type": "function_call_output", "call_id": .string(id), "output": .string(text)], at: second)
  }

  private func event(_ type: String, _ members: JSON.Object, at second: Int) -> String {
    line("event_msg", .object(members.with(["type": .string(type)])), at: second)
  }

  private func message(_ text: String, at second: Int) -> String {
    line(
      "response_item",
      ["type": "message", "role": "user", "content": [["type": "input_text", "text": .string(text)]]], at: second)
  }

  private func completed(_ call: String, _ code: Int, _ output: String, at second: Int) -> String {
    event(
      "item_completed",
      [
        "item": [
          "type": "CommandExecution", "id": .string(call), "status": code == 0 ? "completed" : "failed",
          "exit_code": JSON(code), "aggregated_output": .string(output), "duration": ["secs": 1, "nanos": 5_000_000],
        ]
      ], at: second)
  }

  @Test func `a turn is an episode, and each call a step, though it stands in the log twice`() async throws {
    let fixture = try await LogFixture()
    try fixture.write(
      "rollout-1.jsonl",
      [
        session("T"), event("task_started", ["turn_id": "t1"], at: 1),
        message("<environment_context>x</environment_context>", at: 1), line("world_state", ["full": true], at: 1),
        line("turn_context", ["turn_id": "t1", "cwd": "/src/shop", "model": "gpt"], at: 1), message("Fix it", at: 2),
        event("item_completed", ["item": ["type": "UserMessage", "content": [["text": "Fix it"]]]], at: 2),
        call("c1", "ls /nonexistent", at: 3), call("c2", "ls", at: 3), completed("c2", 0, "a\n", at: 4),
        completed("c1", 2, "ls: no such file", at: 5),
        output("c1", "Chunk ID: 1\nProcess exited with code 2\nOutput:\nls: no such file", at: 5),
        output("c2", "Chunk ID: 2\nProcess exited with code 0\nOutput:\na\n", at: 5),
        event("task_complete", ["turn_id": "t1", "last_agent_message": "Done."], at: 6),
        event("task_started", ["turn_id": "t2"], at: 7), line("turn_context", ["turn_id": "t2"], at: 7),
        message("And the docs", at: 7), event("turn_aborted", ["reason": "interrupted"], at: 8),
        event("task_started", ["turn_id": "t3"], at: 9),
      ])
    let report = try await fixture.take()
    #expect(report.added == 2 && report.steps == 3 && report.resultsWithoutCall == 0, "\(report)")
    #expect(report.otherRecords == ["world_state": 1])
    let episodes = try await fixture.episodes()
    #expect(episodes.map(\.context) == ["Fix it", "And the docs"] && episodes.map(\.status) == [.completed, .failed])
    #expect(episodes[0].steps.map(\.action) == ["ls /nonexistent", "ls", "answer"])
    #expect(episodes[0].steps.map(\.result) == ["ls: no such file", "a\n", "Done."])
    #expect(episodes[0].steps.map(\.success) == [false, true, nil])
    #expect(episodes[0].steps[1].duration == .milliseconds(1005))
    #expect(episodes[0].metadata["model"] == "gpt" && episodes[0].metadata["agent"] == "codex")
    #expect(episodes[0].domain == "shop" && episodes[0].session == "T")
    #expect(try await fixture.take().unchanged == 2)
  }

  @Test func `the generation of events has prompts, codes and durations, too`() async throws {
    let fixture = try await LogFixture()
    try fixture.write(
      "rollout-2.jsonl",
      [
        session("T"), message("<user_instructions>x</user_instructions>", at: 1), message("Fix it", at: 2),
        event("user_message", ["message": "Fix it"], at: 2), call("c1", "make", at: 3),
        event("exec_command_begin", ["call_id": "c1"], at: 3),
        event("exec_command_end", ["call_id": "c1", "exit_code": 1, "aggregated_output": "no rule"], at: 4),
        output("c1", #"{"output":"no rule","metadata":{"exit_code":1,"duration_seconds":0.5}}"#, at: 4),
        event("agent_message", ["message": "There is no rule."], at: 5), message("Then write one", at: 6),
        event("user_message", ["message": "Then write one"], at: 6), call("c2", "make", at: 7),
        output("c2", #"{"output":"ok","metadata":{"exit_code":0,"duration_seconds":0.5}}"#, at: 8),
        event("error", ["message": "stream closed"], at: 9),
      ])
    try await fixture.take()
    let episodes = try await fixture.episodes()
    #expect(episodes.map(\.context) == ["Fix it", "Then write one"])
    #expect(episodes[0].steps.map(\.success) == [false, nil] && episodes[0].steps[0].result == "no rule")
    #expect(episodes[1].steps.first?.success == true && episodes[1].steps.first?.duration == .milliseconds(500))
    #expect(episodes[1].status == .failed && episodes[1].metadata["verdict"] == "error")
  }

  @Test func `records without an envelope are read, each prompt an episode`() async throws {
    let fixture = try await LogFixture()
    let path = try fixture.write(
      "rollout-3.jsonl",
      [
        #"{"id":"T","timestamp":"2025-05-07T17:24:21.597Z","instructions":null}"#,
        #"{"type":"message","role":"user","content":[{"type":"input_text","text":"Fix it"}]}"#,
        #"{"type":"function_call","name":"shell","arguments":"{\"command\":[\"bash\",\"-lc\",\"ls\"]}","call_id":"c1"}"#,
        #"{"type":"function_call_output","call_id":"c1","output":"{\"output\":\"a\",\"metadata\":{\"exit_code\":0}}"}"#,
        #"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Done."}]}"#,
        #"{"type":"message","role":"user","content":[{"type":"input_text","text":"Thanks"}]}"#,
      ])
    try fixture.write("rollout-4.jsonl", try String(contentsOf: URL(filePath: path), encoding: .utf8))
    let report = try await fixture.take()
    // Without an id in its records a log is named by its file.
    #expect(report.added == 4, "\(report)")
    let episode = try #require(try await fixture.episodes().first { $0.context == "Fix it" })
    #expect(episode.steps.map(\.action) == ["bash -lc ls", "answer"] && episode.steps[0].success == true)
  }

  @Test func `a turn that the hook saw is the same episode`() async throws {
    let fixture = try await LogFixture()
    let id = AgentClient.codex.episode(session: "T", turn: "t1")
    _ = try await fixture.memory.begin(
      Episode.Draft("coding", domain: "other", context: "Fix it", session: "T", metadata: ["mine": 1], id: id))
    try fixture.write(
      "rollout-5.jsonl",
      [
        session("T"), line("turn_context", ["turn_id": "t1"], at: 1), message("Fix it", at: 2), call("c1", "ls", at: 3),
        output("c1", "a", at: 4), event("task_complete", [:], at: 5),
      ])
    #expect(try await fixture.take().changed == 1)
    let episode = try #require(try await fixture.memory.episode(id))
    #expect(episode.status == .completed && episode.domain == "other" && episode.steps.count == 1)
    #expect(episode.metadata["mine"] == 1 && episode.metadata["agent"] == "codex")
  }

  @Test func `the calls of one turn are found in the end of a log`() async throws {
    let fixture = try await LogFixture()
    let noise = call("n", String(repeating: "x", count: 100_000), at: 1)
    let path = try fixture.write(
      "rollout-6.jsonl",
      [session("T"), line("turn_context", ["turn_id": "t0"], at: 1)]
        + Array(repeating: noise, count: 60)
        + [
          line("turn_context", ["turn_id": "t1"], at: 1), call("c1", "ls", at: 3), output("c1", "a", at: 4),
          line("turn_context", ["turn_id": "t2"], at: 1), call("c2", "pwd", at: 3), #"{"half"#,
        ])
    #expect(try CodexTail.steps(path: path, turn: "t1").map(\.action) == ["ls"])
    #expect(try CodexTail.steps(path: path, turn: "t2").map(\.action) == ["pwd"])
    #expect(try CodexTail.steps(path: path, turn: "t9").isEmpty)
    #expect(throws: MemoryError.self) { try CodexTail.steps(path: path + "x", turn: "t1") }
  }
}
