import ArgumentParser
import CRawSQLite

@main
struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures Episodic beside the libraries it is built on.",
    discussion: """
      Each benchmark creates its own store in a temporary directory, measures the library and its yardstick alternately \
      within one run, so that load of the machine affects both, and removes the store. Compare figures of one run only; \
      durable ones depend on the disk.

      EXAMPLES
        bench reads --episodes 10000 --steps 20
        bench writes --episodes 500 --steps 20 --directory /mnt/disk
        bench replay --traces ../shared/data/traces
        bench coherence --processes 6 --seconds 300 --kills
        bench faults --seconds 100
        bench vectors --base base.f32 --queries queries.f32 --dimensions 384 --truth truth.i32
        bench text --documents 100000
        bench recall --data DIR
        bench import --steps 1000000
        bench maintain --steps 1000000 --seconds 30
        bench ledger --tasks 20000
        bench learning --data ../shared/data/sql
        bench hook --episodes 5000
        bench logs --megabytes 1000
        bench writes --json > writes.json
      """,
    subcommands: [
      ReadsCommand.self, WritesCommand.self, ReplayCommand.self, CoherenceCommand.self, FaultsCommand.self,
      VectorsCommand.self, TextCommand.self, RecallCommand.self, ImportCommand.self, MaintainCommand.self,
      LedgerCommand.self, LearningCommand.self, HookCommand.self, LogsCommand.self,
      ReplayWorkerCommand.self,
      CoherenceWorkerCommand.self, FaultsWorkerCommand.self, VectorsAskerCommand.self,
    ])

  static func main() async {
    ProcessClock.start()
    await main(nil)
  }
}

/// The time since this process entered `main`.
enum ProcessClock {
  private static let mainBegan = raw_now()

  /// Called first in `main`.
  static func start() { _ = mainBegan }

  /// Nanoseconds since then.
  static var elapsed: UInt64 { raw_now() - mainBegan }
}
