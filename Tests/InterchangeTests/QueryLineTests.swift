import EpisodicMemory
import Testing

@testable import Interchange

@Suite struct `Queries as lines` {
  @Test func `filters are read, and unknown members are ignored`() throws {
    let line = try query(
      """
      {"id": "q", "text": "why", "filters": {"domain": "web", "session": "s", "task_type": "t", "status": "failed", \
      "after": "2026-01-01T00:00:00Z", "before": "2026-02-01T00:00:00Z"}, "exclude_ids": ["a"], "category": {"x": 1}}
      """)
    #expect(line.id == "q" && line.text == "why" && line.scope == .domain("web"))
    #expect(line.filter.session == "s" && line.filter.taskType == "t" && line.filter.statuses == [.failed])
    #expect(line.filter.after == Timestamp("2026-01-01T00:00:00Z"))
    #expect(line.filter.before == Timestamp("2026-02-01T00:00:00Z"))
  }

  @Test(arguments: ["{}", "null"]) func `no domain means everywhere`(filters: String) throws {
    let line = try query(#"{"id": "q", "text": "why", "filters": \#(filters)}"#)
    #expect(line.scope == .everything && line.filter == Episode.Filter())
  }

  @Test func `several statuses are an array`() throws {
    let line = try query(#"{"id": "q", "filters": {"status": ["active", "failed"]}}"#)
    #expect(line.filter.statuses == [.active, .failed] && line.text == nil)
  }

  @Test func `a filter by steps is an object of tool, success, text and phrase`() throws {
    let line = try query(
      #"{"id": "q", "filters": {"step": {"tool": "bash", "success": false, "text": "swift test", "phrase": null}}}"#)
    #expect(line.filter.step == Step.Filter(tool: "bash", success: false, text: "swift test"))
    #expect(try query(#"{"id": "q", "filters": {"step": {}}}"#).filter.step == Step.Filter())
    #expect(try query(#"{"id": "q", "filters": {"step": null}}"#).filter.step == nil)
  }

  @Test(arguments: [
    (#"{"id": "q", "filters": {"step": {"tools": "x"}}}"#, "filters.step.tools is no filter of a step"),
    (#"{"id": "q", "filters": {"step": {"success": 0}}}"#, "filters.step.success is 0"),
    (#"{"id": "q", "filters": {"step": "bash"}}"#, "filters.step is \"bash\""),
    (#"{"id": "q", "step": {}}"#, "step is a filter"),
    (#"{"text": "why"}"#, "id is missing"),
    (#"{"id": 7, "text": "why"}"#, "id is 7"),
    (#"{"id": "q", "text": 7}"#, "text is 7"),
    (#"{"id": "q", "filters": {"status": "done"}}"#, "filters.status is \"done\""),
    (#"{"id": "q", "filters": {"status": ["done"]}}"#, "filters.status[0] is \"done\""),
    (#"{"id": "q", "filters": {"status": []}}"#, "filters.status is []"),
    (#"{"id": "q", "filters": {"after": "soon"}}"#, "filters.after is \"soon\""),
    // A filter that is not applied would return what it excludes (I8).
    (#"{"id": "q", "filters": {"Domain": "web"}}"#, "filters.Domain is no filter"),
    (#"{"id": "q", "text": "a\u0000"}"#, "text has a NUL"),
  ]) func `an error about a query names field and value`(line: String, says: String) throws {
    let error = try #require(throws: MemoryError.self) { try query(line) }
    #expect(error.code == .invalid && error.message.contains(says), "\(error.message)")
  }

  private func query(_ text: String) throws(MemoryError) -> QueryLine { try QueryLine(Array(text.utf8)) }
}
