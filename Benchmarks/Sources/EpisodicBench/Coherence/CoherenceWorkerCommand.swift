import ArgumentParser
import Episodic

/// One of the processes of `bench coherence`, in its role until it is stopped or killed.
struct CoherenceWorkerCommand: AsyncParsableCommand {
  enum Role: String, ExpressibleByArgument { case reader, writer }

  static let name = "coherence-worker"
  static let configuration = CommandConfiguration(
    commandName: name, abstract: "A process of bench coherence.", shouldDisplay: false)

  /// Between two commits of a writer.
  private static let pause = Duration.milliseconds(15)

  @Option var role: Role
  @Option var store: String
  @Option var tallies: String
  /// Where its counts go.
  @Option var place: Int
  /// Which of the writers it is; a writer moves only counters of its own.
  @Option var writer = 0
  @Option var writers: Int

  func run() async throws {
    let worker = try await CoherenceWorker(store: store, tallies: tallies, place: place, writers: writers)
    while !worker.isStopped {
      switch role {
      case .reader: try await read(worker)
      case .writer:
        try await write(worker)
        try await Task.sleep(for: Self.pause)
      }
    }
    try await worker.memory.close()
  }

  // MARK: Reading

  /// Many episodes, some patterns and guests, a few recalls.
  private func read(_ worker: CoherenceWorker) async throws {
    for _ in 0..<100 where !worker.isStopped {
      let number = Int.random(in: 0..<Population.episodes)
      try await worker.checkEpisode(number, notOlderThan: worker.committed.episode(number))
      worker.count(.episodeReads)
    }
    for _ in 0..<10 {
      try await worker.checkPattern(Int.random(in: 0..<Population.patterns))
      worker.count(.patternReads)
      try await worker.checkGuest(Int.random(in: 0..<writers))
      worker.count(.guestReads)
    }
    for wanted in CoherenceWorker.Wanted.allCases {
      try await worker.checkRecall(Int.random(in: 0..<20), by: wanted)
      worker.count(.recalls)
    }
    try await worker.checkGuest(Int.random(in: 0..<writers), byRecall: true)
    worker.count(.recalls)
  }

  // MARK: Writing

  /// One commit through the library, and what it wrote read back.
  private func write(_ worker: CoherenceWorker) async throws {
    let number = Int.random(in: 0..<Population.episodes / writers) * writers + writer
    switch Int.random(in: 0..<10) {
    case 0: try await moveGuest(worker)
    case 1: try await usePattern(worker)
    case 2...5: try await Population.isActive(number) ? append(to: number, worker) : note(number, worker)
    default: try await note(number, worker)
    }
  }

  private func append(to number: Int, _ worker: CoherenceWorker) async throws {
    let before = try worker.committed.episode(number)
    let word = Population.stepWord(number, step: before.steps + 1)
    try await worker.memory.append(Step.Draft(word), to: Population.id(number))
    worker.count(.steps)
    let now = EpisodeVersion(told: before.told, noted: before.noted, steps: before.steps + 1)
    try await worker.checkEpisode(number, notOlderThan: now)
    worker.count(.ownReads)
  }

  private func note(_ number: Int, _ worker: CoherenceWorker) async throws {
    let before = try worker.committed.episode(number)
    let change = Episode.Change(metadata: Population.metadata(before.noted + 1))
    try await worker.memory.update(Population.id(number), with: change)
    worker.count(.notes)
    let now = EpisodeVersion(told: before.told, noted: before.noted + 1, steps: before.steps)
    try await worker.checkEpisode(number, notOlderThan: now)
    worker.count(.ownReads)
  }

  /// Lets the guest go, or has it come with a number that no guest had before: that of the last change.
  private func moveGuest(_ worker: CoherenceWorker) async throws {
    let (number, revision) = try worker.committed.guest(writer)
    if number == nil {
      try await worker.memory.insert([Population.guest(writer, number: revision)])
    } else {
      try await worker.memory.delete(Population.guestID(writer))
    }
    worker.count(.guests)
    try await worker.checkGuest(writer)
    worker.count(.ownReads)
  }

  private func usePattern(_ worker: CoherenceWorker) async throws {
    let number = Int.random(in: 0..<Population.patterns)
    let data = Population.patternData(number)
    guard let pattern = try await worker.memory.pattern(.toolSequence, data: data) else {
      return worker.report("pattern \(number) is there and was not found")
    }
    try await worker.memory.markUsed(pattern.id)
    worker.count(.patternUses)
    try await worker.checkPattern(number)
    worker.count(.ownReads)
  }
}
