import ArgumentParser
import Episodic

/// One of the processes that share a trace: reads the episode of each line of its input and says whether it was a hit.
struct ReplayWorkerCommand: AsyncParsableCommand {
  static let name = "replay-worker"
  static let hit = "hit"
  static let miss = "miss"
  static let configuration = CommandConfiguration(
    commandName: name, abstract: "A process of bench replay.", shouldDisplay: false)

  @Option var store: String
  @Option var capacity: Int

  func run() async throws {
    let memory = try await Memory.open(at: store, options: .replay(entries: capacity))
    while let line = readLine() {
      // Counts may take in what other processes did; those wait for us, so the difference is this read alone.
      let before = try await memory.countedEpisodes()
      guard try await memory.episode(Episode.ID(line)) != nil else { throw BenchError("episode \(line) is gone") }
      let after = try await memory.countedEpisodes()
      guard after.hits - before.hits + after.misses - before.misses == 1 else {
        throw BenchError("one read, and the cache counted from \(before) to \(after)")
      }
      StandardOutput.write(after.hits > before.hits ? Self.hit : Self.miss)
    }
    try await memory.close()
  }
}
