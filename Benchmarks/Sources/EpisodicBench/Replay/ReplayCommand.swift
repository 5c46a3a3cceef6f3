import ArgumentParser
import Episodic

struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Hit rates of the real cache on access traces, beside those of other policies.",
    discussion: """
      A trace is a file with one key per line. For each, a store gets a small episode per distinct key; then the episode \
      of each line is read in order through an empty cache of N entries, and the cache's counters give the hits. Other \
      policies are simulated on the same requests, each key taking one entry. OPT knows the future and admits every \
      key; no policy that admits every key is better. "unbounded" is a cache that never evicts, computed from the trace.

      With --processes, the requests are distributed in turn to processes that share the store; each waits for the one \
      before, so the order is that of the trace. With --kills N, the next process is killed with SIGKILL at N evenly \
      spaced requests, and replaced.

      --traces reads the three traces of a folder at fixed capacities: six rows, their means, and the largest \
      distance of the engine below the best policy of a row.

      EXAMPLES
        bench replay --trace keys.txt --capacity 1000
        bench replay --trace keys.txt --capacity 100,1000 --processes 4 --kills 10
        bench replay --traces ../shared/data/traces
      """)

  @Option(help: "A file with a key per line.")
  var trace: String?

  @Option(help: "Maximum entries of the cache; several separated by commas.")
  var capacity: Capacities?

  @Option(help: "A folder with the three traces, instead of --trace and --capacity.")
  var traces: String?

  @Option(help: "Processes that share the requests; with 1 and no kills, this process reads.")
  var processes = 1

  @Option(help: "Number of kills during the replay.")
  var kills = 0

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard (traces == nil) == (trace != nil && capacity != nil) else {
      throw ValidationError("give --trace with --capacity, or --traces")
    }
    guard (1...64).contains(processes) else {
      throw ValidationError("--processes is \(processes); it must be in 1...64")
    }
    guard (0...1000).contains(kills) else { throw ValidationError("--kills is \(kills); it must be in 0...1000") }
  }

  func run() async throws {
    try await common.report { scratch in
      try await ReplayBenchmark(cells: cells(), processes: processes, kills: kills, scratch: scratch).run()
    }
  }

  private func cells() throws -> [(trace: Trace, capacity: Int)] {
    if let trace, let capacity {
      let trace = try Trace(path: trace)
      return capacity.values.map { (trace, $0) }
    }
    return try Self.table.flatMap { name, capacities in
      let trace = try Trace(path: (traces ?? ".") + "/\(name).txt")
      return capacities.map { (trace, $0) }
    }
  }

  private static let table = [
    ("mooncake_conversation_session", [74, 737, 2212]),
    ("mooncake_synthetic_session", [222]),
    ("tau_airline_toolquery", [32, 94]),
  ]
}

/// Numbers of entries, separated by commas.
struct Capacities: ExpressibleByArgument {
  let values: [Int]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    values = parts.compactMap { Int($0) }.filter { (1...10_000_000).contains($0) }
    if values.count != parts.count { return nil }
  }
}

/// One of the processes that share a trace: reads the episode of each line of its input and replies whether it was a hit.
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
      // The counters include other processes, which wait meanwhile, so the difference is this read alone.
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
