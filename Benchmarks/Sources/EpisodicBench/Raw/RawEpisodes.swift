import CRawSQLite
import Episodic

/// Whole episodes, ready to be bound.
final class RawEpisodes {
  private let steps: RawSteps
  private let texts = RawTexts()
  private let episodes: UnsafeMutableBufferPointer<raw_episode>

  init(_ episodes: [Episode]) {
    self.episodes = .allocate(capacity: episodes.count)
    steps = RawSteps(episodes.flatMap { episode in episode.steps.map { ($0, episode.id) } })
    var first = 0
    for (index, episode) in episodes.enumerated() {
      let start = steps.withBuffer { $0.baseAddress?.advanced(by: first) }
      first += episode.steps.count
      self.episodes.initializeElement(at: index, to: raw_episode(episode, steps: start, texts))
    }
  }

  deinit { episodes.deallocate() }

  func withBuffer<Result>(_ body: (UnsafeBufferPointer<raw_episode>) throws -> Result) rethrows -> Result {
    try body(UnsafeBufferPointer(episodes))
  }
}

extension raw_episode {
  /// Metadata are `{}` in every episode of the workload.
  fileprivate init(_ episode: Episode, steps: UnsafePointer<raw_step>?, _ texts: RawTexts) {
    self.init(
      id: texts.text(episode.id.rawValue), task_type: texts.text(episode.taskType.rawValue),
      domain: texts.text(episode.domain), session: texts.text(episode.session), context: texts.text(episode.context),
      status: texts.text(episode.status.rawValue), metadata: texts.text("{}"),
      success_rate: episode.successRate ?? 0, created_at: episode.createdAt.milliseconds,
      completed_at: episode.completedAt?.milliseconds ?? 0, is_completed: episode.completedAt == nil ? 0 : 1,
      steps: steps, step_count: Int32(episode.steps.count))
  }
}
