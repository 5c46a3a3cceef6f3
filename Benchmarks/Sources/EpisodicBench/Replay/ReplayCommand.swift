import ArgumentParser

struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Hit rates of the real cache on access traces, beside those of other policies.",
    discussion: """
      A trace is a file with a key per line. For each, a store gets a small episode per distinct key; then a memory \
      whose cache is empty and holds N entries reads the episode of each line in order, and the cache's own counts say \
      how many reads were hits. Other policies are simulated on the same requests, a key taking one place. OPT knows \
      the future and takes in every key; nothing that does can beat it.

      With --processes, the requests are dealt out in turn to processes that share the store; each waits for the one \
      before, so the order stays that of the trace. With --kills, the process that is next is killed with SIGKILL at so \
      many evenly spaced moments, and another one takes its place.

      --traces reads the three traces of a folder at the sizes that the project is held against: six rows, their means, \
      and how far the engine falls below the best policy of a row at worst.

      EXAMPLES
        bench replay --trace keys.txt --capacity 1000
        bench replay --trace keys.txt --capacity 100,1000 --processes 4 --kills 10
        bench replay --traces ../shared/data/traces
      """)

  @Option(help: "A file with a key per line.")
  var trace: String?

  @Option(help: "Entries that the cache may hold; several with commas between them.")
  var capacity: Capacities?

  @Option(help: "A folder with the three traces of the project's table, in place of --trace and --capacity.")
  var traces: String?

  @Option(help: "Processes that share the requests; 1 reads in this one, unless it is to be killed.")
  var processes = 1

  @Option(help: "How often a process is killed on the way.")
  var kills = 0

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard (traces == nil) == (trace != nil && capacity != nil) else {
      throw ValidationError("give --trace with --capacity, or --traces")
    }
    guard (1...64).contains(processes) else { throw ValidationError("--processes is \(processes); it lies in 1...64") }
    guard (0...1000).contains(kills) else { throw ValidationError("--kills is \(kills); it lies in 0...1000") }
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

/// Numbers of entries with commas between them.
struct Capacities: ExpressibleByArgument {
  let values: [Int]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    values = parts.compactMap { Int($0) }.filter { (1...10_000_000).contains($0) }
    if values.count != parts.count { return nil }
  }
}
