import ByteCoding
package import Learning

/// What learning looks at of an episode that ended.
package struct FinishedRun: Sendable {
  package var id: Episode.ID
  package var taskType: TaskType
  package var domain: String
  package var context: String
  package var status: Episode.Status
  package var successRate: Double?
  package var endedAt: Timestamp
  package var metadata: JSON
  /// The first ones; texts may be cut.
  package var steps: [StepText]
  package var stepCount: Int

  package init(
    id: Episode.ID, taskType: TaskType, domain: String, context: String, status: Episode.Status, successRate: Double?,
    endedAt: Timestamp, metadata: JSON, steps: [StepText], stepCount: Int
  ) {
    (self.id, self.taskType, self.domain, self.context) = (id, taskType, domain, context)
    (self.status, self.successRate, self.endedAt, self.metadata) = (status, successRate, endedAt, metadata)
    (self.steps, self.stepCount) = (steps, stepCount)
  }

  /// Without any text of it but names and masked errors.
  package var trace: RunTrace {
    RunTrace(
      agent: Self.agent(metadata), domain: domain, task: task, run: Self.digest(of: id), time: endedAt.milliseconds,
      succeeded: status == .completed, successRate: successRate, steps: RunTrace.Step.steps(of: steps),
      stepCount: stepCount)
  }

  /// Who did it: the first of the members `agent`, `model` and `run` of the metadata; one without is of the agent "".
  package static func agent(_ metadata: JSON) -> String {
    name(["agent", "model", "run"], metadata)?.canonicallyComposed ?? ""
  }

  /// Episodes of one task have the same: of the member `task` or `task_id` of the metadata, else of the kind of task and its
  /// context, whatever white space is in it.
  private var task: UInt64 {
    if let name = Self.name(["task", "task_id"], metadata) { return Checksum.of(name.canonicallyComposed, seed: 1) }
    let words = context.canonicallyComposed.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return Checksum.of(words, seed: Checksum.of(taskType.rawValue, seed: 2))
  }

  package static func digest(of id: Episode.ID) -> UInt64 { Checksum.of(id.rawValue, seed: 3) }

  private static func name(_ names: [String], _ metadata: JSON) -> String? {
    for name in names {
      switch metadata[name] {
      case .string(let text) where !text.isEmpty: return text
      case .integer(let number): return String(number)
      case .unsigned(let number): return String(number)
      default: continue
      }
    }
    return nil
  }
}

extension StepText {
  package init(_ step: Step) {
    self.init(action: step.action, result: step.result, tool: step.tool, success: step.success)
  }
}

/// A trace that the store has.
package struct KeptTrace: Sendable {
  package var episode: Episode.ID
  package var trace: RunTrace

  package init(episode: Episode.ID, trace: RunTrace) { (self.episode, self.trace) = (episode, trace) }
}

/// How far the traces follow the episodes.
package struct TraceProgress: Sendable {
  /// Episodes that were looked at.
  package var looked: Int
  /// Whether the traces are those of the last commit.
  package var isComplete: Bool

  package init(looked: Int, isComplete: Bool) { (self.looked, self.isComplete) = (looked, isComplete) }
}

/// A pattern that an earlier learning found.
package struct LearnedPlace: Sendable, Hashable {
  package var pattern: Pattern.ID
  /// `nil` if another program changed the pattern.
  package var key: PatternKey?
  /// End of the last run that it was first found from.
  package var foundThrough: Int64

  package init(pattern: Pattern.ID, key: PatternKey?, foundThrough: Int64) {
    (self.pattern, self.key, self.foundThrough) = (pattern, key, foundThrough)
  }
}

/// That advice was given to an episode or held back.
package struct AdviceRecord: Sendable, Hashable {
  package var episode: Episode.ID
  package var pattern: Pattern.ID
  package var step: Int
  package var isRandomised: Bool
  package var isHeldBack: Bool
  package var taken: Bool?
  package var helped: Bool?

  package init(
    episode: Episode.ID, pattern: Pattern.ID, step: Int, isRandomised: Bool, isHeldBack: Bool, taken: Bool? = nil,
    helped: Bool? = nil
  ) {
    (self.episode, self.pattern, self.step) = (episode, pattern, step)
    (self.isRandomised, self.isHeldBack, self.taken, self.helped) = (isRandomised, isHeldBack, taken, helped)
  }
}
