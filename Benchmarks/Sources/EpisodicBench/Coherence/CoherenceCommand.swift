import ArgumentParser
import Episodic

struct CoherenceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coherence",
    abstract: "Searches for reads older than the last commit, under writers and SIGKILL.",
    discussion: """
      Processes share a store of 200 episodes. About a third of them write: through the library, and one through the \
      sqlite3 shell, which notifies no cache. They increment counters: in contexts, in metadata, in the number of steps, \
      in the uses of patterns; and they insert and delete episodes. The others read: first the committed values by \
      plain SQLite on a separate connection, then through the cache, which must be no older: episodes, patterns, \
      inserted and deleted episodes, and recalls by the newest word. Writers read back their writes.

      With --kills, one of the processes is killed with SIGKILL every 50 ms, at any instruction, and replaced. The \
      counts of killed processes are kept. At the end the store is checked. A violation, a process that ends by itself \
      or a failed check makes the exit status 1.

      EXAMPLES
        bench coherence --processes 6 --seconds 300 --kills
        bench coherence --seconds 5 --kills --json
      """)

  @Option(help: "Processes that read and write.")
  var processes = 6

  @Option(help: "Duration in seconds.")
  var seconds = 10

  @Flag(help: "Kill one of them every 50 ms.")
  var kills = false

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard (2...64).contains(processes) else { throw ValidationError("--processes is \(processes); it lies in 2...64") }
    guard (1...86_400).contains(seconds) else { throw ValidationError("--seconds is \(seconds); it lies in 1...86400") }
  }

  func run() async throws {
    try await common.report { scratch in
      try await CoherenceBenchmark(processes: processes, seconds: seconds, kills: kills, scratch: scratch).run()
    }
  }
}

/// One process of `bench coherence`, a reader or a writer until it is stopped or killed.
struct CoherenceWorkerCommand: AsyncParsableCommand {
  enum Role: String, ExpressibleByArgument { case reader, writer }

  static let name = "coherence-worker"
  static let configuration = CommandConfiguration(
    commandName: name, abstract: "A process of bench coherence.", shouldDisplay: false)

  /// The pause between two commits of a writer.
  private static let pause = Duration.milliseconds(15)

  @Option var role: Role
  @Option var store: String
  @Option var tallies: String
  /// The place of its counters.
  @Option var place: Int
  /// The number of the writer; it increments only its own counters.
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

  /// 100 episodes, 10 patterns and guests, 4 recalls.
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

  /// One commit through the library, read back.
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
    let now = EpisodeVersion(
      shellCount: before.shellCount, metadataCount: before.metadataCount, steps: before.steps + 1)
    try await worker.checkEpisode(number, notOlderThan: now)
    worker.count(.ownReads)
  }

  private func note(_ number: Int, _ worker: CoherenceWorker) async throws {
    let before = try worker.committed.episode(number)
    let change = Episode.Change(metadata: Population.metadata(before.metadataCount + 1))
    try await worker.memory.update(Population.id(number), with: change)
    worker.count(.notes)
    let now = EpisodeVersion(
      shellCount: before.shellCount, metadataCount: before.metadataCount + 1, steps: before.steps)
    try await worker.checkEpisode(number, notOlderThan: now)
    worker.count(.ownReads)
  }

  /// Deletes the guest, or inserts it with a number that no guest had before: the last revision.
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
      return worker.report("pattern \(number) exists and was not found")
    }
    try await worker.memory.markUsed(pattern.id)
    worker.count(.patternUses)
    try await worker.checkPattern(number)
    worker.count(.ownReads)
  }
}
