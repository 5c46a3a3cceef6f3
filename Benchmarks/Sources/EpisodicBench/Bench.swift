import ArgumentParser

@main
struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures Episodic beside what it is built on.",
    discussion: """
      Each benchmark makes its own store in a temporary directory, measures the library and its yardstick in turns \
      within one run, so that a noisy machine is noisy for both, and removes the store. A figure means something \
      beside the other figures of its run; a durable one depends on the disk of the moment.

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
        bench writes --json > writes.json
      """,
    subcommands: [
      ReadsCommand.self, WritesCommand.self, ReplayCommand.self, CoherenceCommand.self, FaultsCommand.self,
      VectorsCommand.self, TextCommand.self, RecallCommand.self, ImportCommand.self, ReplayWorkerCommand.self,
      CoherenceWorkerCommand.self, FaultsWorkerCommand.self, VectorsAskerCommand.self,
    ])

  static func main() async {
    ProcessClock.start()
    await main(nil)
  }
}
