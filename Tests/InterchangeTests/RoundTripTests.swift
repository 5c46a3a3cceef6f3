import EpisodicMemory
import TestSupport
import Testing

@testable import Interchange

@Suite struct `Episodes as lines` {
  @Test func `a line with every member is read member by member`() throws {
    let episode = try readLine(wholeLine)
    #expect(episode.id == "run/1" && episode.taskType == .debugging && episode.domain == "web")
    #expect(episode.session == "s" && episode.context == "fix the login")
    #expect(episode.status == .completed && episode.successRate == 0.5)
    #expect(episode.createdAt == Timestamp("2026-01-31T12:00:00Z"))
    #expect(episode.completedAt == Timestamp("2026-01-31T12:00:10.250Z"))
    #expect(episode.metadata == ["model": "m", "cost": 0.25])
    #expect(episode.steps.map(\.number) == [1, 2])
    #expect(episode.steps[0].result == "nothing" && episode.steps[0].tool == "grep")
    #expect(episode.steps[0].duration == .milliseconds(1500) && episode.steps[0].success == false)
    #expect(episode.steps[1].result == nil && episode.steps[1].duration == nil && episode.steps[1].success == nil)
  }

  @Test(arguments: [1, 2, 3, 4]) func `written lines are read back, and written again are identical`(seed: UInt64)
    throws
  {
    var random = SeededGenerator(seed: seed)
    for index in 0..<250 {
      let episode = Episode.random(index, using: &random)
      let line = episode.json.canonicalText
      let back = try readLine(line)
      #expect(back.withoutStepIDs == episode.withoutStepIDs)
      #expect(back.json.canonicalText == line)
      #expect(!line.contains("\n"), "an episode is one line")
    }
  }

  @Test func `decomposed text stays decomposed`() throws {
    let episode = try readLine(wholeLine.replacing("fix the login", with: "cafe\u{301} \\u0065\\u0301"))
    #expect(Array(episode.context.unicodeScalars) == Array("cafe\u{301} e\u{301}".unicodeScalars))
  }

  @Test(arguments: ["1500", "1500.0", "1.5e3", "15000e-1"]) func `a duration is an integer in any notation`(
    number: String
  ) throws {
    let episode = try readLine(wholeLine.replacing("\"duration_ms\": 1500", with: "\"duration_ms\": \(number)"))
    #expect(episode.steps[0].duration == .milliseconds(1500))
  }

  @Test func `every optional member may be null or missing`() throws {
    let bare = try readLine(
      """
      {"id":"a","task_type":"t","domain":"d","context":"","status":"active","created_at":"2026-01-31T12:00:00Z",\
      "steps":[{"action":"","timestamp":"2026-01-31T12:00:00+01:00"}]}
      """)
    let null = try readLine(
      """
      {"id":"a","task_type":"t","domain":"d","context":"","status":"active","created_at":"2026-01-31T12:00:00.000Z",\
      "session":null,"success_rate":null,"completed_at":null,"metadata":null,"steps":[{"action":"",\
      "step_number":null,"result":null,"tool":null,"duration_ms":null,"success":null,\
      "timestamp":"2026-01-31T11:00:00Z"}]}
      """)
    #expect(bare.withoutStepIDs == null.withoutStepIDs)
    #expect(bare.metadata == [:] && bare.steps.map(\.number) == [1])
  }

  @Test func `a step without a number follows the highest before it, and steps are ordered by number`()
    throws
  {
    let steps = [("\"step_number\":7,", "b"), ("", "c"), ("\"step_number\":2,", "a"), ("", "d")].map {
      "{\($0)\"action\":\"\($1)\",\"timestamp\":\"2026-01-31T12:00:00Z\"}"
    }
    let episode = try readLine(
      """
      {"id":"a","task_type":"t","domain":"d","context":"","status":"active","created_at":"2026-01-31T12:00:00Z",\
      "steps":[\(steps.joined(separator: ","))]}
      """)
    #expect(episode.steps.map(\.number) == [2, 7, 8, 9])
    #expect(episode.steps.map(\.action).joined() == "abcd")
  }

  @Test func `a result line has the members of the contract in its order`() throws {
    let hit = Hit(episode: try readLine(wholeLine), score: 0.5, shares: Hit.Shares(context: 0.5), matches: [])
    let line = ResultLine(queryID: "q\"1", hits: [hit], duration: .microseconds(1500)).text
    #expect(line == #"{"query_id":"q\"1","results":[{"id":"run/1","score":0.5}],"ms":1.5}"#)
  }
}
