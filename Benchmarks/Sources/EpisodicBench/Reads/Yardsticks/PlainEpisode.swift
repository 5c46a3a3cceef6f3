import Episodic

/// An episode as nothing but values, all of them made at once: what the yardsticks read.
struct PlainEpisode {
  struct Step {
    var id: String
    var number: Int64
    var action: String
    var result: String?
    var tool: String?
    var duration: Int64?
    var success: Bool?
    var timestamp: Int64
  }

  var id: String
  var taskType: String
  var domain: String
  var session: String?
  var context: String
  var status: String
  var successRate: Double?
  var createdAt: Int64
  var completedAt: Int64?
  /// As JSON text.
  var metadata: String
  var embeddingVersion: Int64
  var steps: [Step]
}

extension PlainEpisode {
  /// Metadata are `{}` in every episode of the workload.
  init(_ episode: Episode) {
    self.init(
      id: episode.id.rawValue, taskType: episode.taskType.rawValue, domain: episode.domain, session: episode.session,
      context: episode.context, status: episode.status.rawValue, successRate: episode.successRate,
      createdAt: episode.createdAt.milliseconds, completedAt: episode.completedAt?.milliseconds, metadata: "{}",
      embeddingVersion: episode.embeddingVersion,
      steps: episode.steps.map { step in
        Step(
          id: step.id.rawValue, number: Int64(step.number), action: step.action, result: step.result, tool: step.tool,
          duration: step.duration.map { Int64($0 / .milliseconds(1)) }, success: step.success,
          timestamp: step.timestamp.milliseconds)
      })
  }

  /// The same sum as `Episode.digest`.
  var digest: UInt64 {
    var sum = Int64(
      id.utf8.count + taskType.utf8.count + domain.utf8.count + (session?.utf8.count ?? 0) + context.utf8.count
        + status.utf8.count + metadata.utf8.count)
    sum &+= createdAt &+ (completedAt ?? 0) &+ embeddingVersion
    sum &+= Int64((successRate ?? 0) * 1000)
    for step in steps {
      sum &+= Int64(
        step.id.utf8.count + step.action.utf8.count + (step.result?.utf8.count ?? 0) + (step.tool?.utf8.count ?? 0))
      sum &+= step.number &+ step.timestamp
      if step.success == true { sum &+= 1 }
      if let duration = step.duration, duration >= 0 { sum &+= 1 }
    }
    return UInt64(bitPattern: sum)
  }
}
