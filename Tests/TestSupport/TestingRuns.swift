public import EpisodicMemory

/// Runs of an agent whose tests fail: those that read the log then succeed mostly, those that do the same a third time hardly ever.
/// Learning finds both.
public enum TestingRuns {
  public static func episodes(agent: String, domain: String) -> [Episode] {
    (0..<300).map { number in
      let repeats = number % 3 == 0
      let succeeded = (number % 30 == 0) == repeats
      let start = Timestamp(milliseconds: 1_700_000_000_000 + Int64(number) * 60_000)
      let failures = errors.map { (action, $0, false) }
      let others = [failures[0], ("\(action) --only login", errors[1], false), ("cat server.log", "listening", true)]
      let steps = repeats ? failures : others
      return Episode(
        id: Episode.ID("\(agent)-\(number)"), taskType: "coding", domain: domain, context: "task \(number)",
        status: succeeded ? .completed : .failed, successRate: succeeded ? 1 : 0, createdAt: start, completedAt: start,
        metadata: ["agent": .string(agent), "task": .integer(Int64(number))],
        steps: (steps + [("echo ready", "ready", true)]).enumerated().map { index, step in
          Step(
            id: Step.ID("\(agent)-\(number)-\(index)"), number: index + 1, action: step.0, result: step.1, tool: "Bash",
            success: step.2, timestamp: start)
        })
    }
  }

  /// What fails, each time with another error.
  public static let action = "npm test"
  public static let errors = ["Error: connection refused", "Error: no such table", "Error: out of memory"]
}
