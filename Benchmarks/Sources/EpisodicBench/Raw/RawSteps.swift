import CRawSQLite
import Episodic

/// Steps, and the episode each belongs to, ready to be bound.
final class RawSteps {
  private let texts = RawTexts()
  private let steps: UnsafeMutableBufferPointer<raw_step>
  let episodes: [raw_text]

  init(_ steps: [(step: Step, episode: Episode.ID)]) {
    self.steps = .allocate(capacity: steps.count)
    episodes = steps.map { [texts] in texts.text($0.episode.rawValue) }
    for (index, (step, _)) in steps.enumerated() {
      self.steps.initializeElement(at: index, to: raw_step(step, texts))
    }
  }

  deinit { steps.deallocate() }

  func withBuffer<Result>(_ body: (UnsafeBufferPointer<raw_step>) throws -> Result) rethrows -> Result {
    try body(UnsafeBufferPointer(steps))
  }
}

extension raw_step {
  /// The workload gives every step a duration and a success.
  init(_ step: Step, _ texts: RawTexts) {
    let duration = step.duration ?? .zero
    self.init(
      id: texts.text(step.id.rawValue), action: texts.text(step.action), result: texts.text(step.result),
      tool: texts.text(step.tool), number: Int64(step.number), duration_ms: Int64(duration / .milliseconds(1)),
      success: step.success == true ? 1 : 0, timestamp: step.timestamp.milliseconds)
  }
}
