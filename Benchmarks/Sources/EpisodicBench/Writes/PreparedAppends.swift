import Episodic

/// Steps to append, ready for both sides, and the active episodes they go to, which are in both stores already.
struct PreparedAppends {
  let drafts: [Step.Draft]
  let episodes: [Episode.ID]
  let raw: RawSteps

  init(_ pair: StorePair, workload: inout Workload, episodes count: Int, stepsPerEpisode: Int) async throws {
    let targets = workload.episodes(count, steps: 0, status: .active)
    try await pair.memory.insert(targets)
    try pair.raw.insert(RawEpisodes(targets))
    var steps: [(step: Step, episode: Episode.ID)] = []
    for target in targets {
      for number in 1...stepsPerEpisode { steps.append((workload.step(number), target.id)) }
    }
    drafts = steps.map { Step.Draft($0.step) }
    episodes = steps.map(\.episode)
    raw = RawSteps(steps)
  }
}

extension Step.Draft {
  /// The step without what the engine gives it.
  init(_ step: Step) {
    self.init(step.action, result: step.result, tool: step.tool, duration: step.duration, success: step.success)
  }
}
