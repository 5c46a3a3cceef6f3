import ArgumentParser

struct VectorsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vectors",
    abstract: "Search by vector: build, opening, inserts, latency, recall, filters, beside hnswlib and the exact scan.",
    discussion: """
      An episode and a vector per row, inserted in durable batches, the cache disabled. Queries run one by one on one \
      thread; a row counts as found if it is as near as the last true neighbour. hnswlib (M 16, efConstruction 200) \
      runs the same queries alternately, at 16 values of ef; its cost is interpolated linearly in the recall, so that \
      medians are compared at equal recall. 10 % and 1 % of the rows pass the filters, by domain, task type and time; \
      their truth is computed in the run. Opening is measured in fresh processes.

      Files are raw little-endian: float32 rows, and int32 rows of true neighbours, the same number for each query.

      Targets for 384 dimensions, k 10 and recall .99 or more: with 100,000 rows at most half of hnswlib's median at the \
      same recall; with 1,000,000 at most 2.5 times, and no more at a recall of .998 or more, p99 at most 2.5 times \
      the median. A filter of 10 % at most 0.5 and of 1 % at most 0.2 of the unfiltered median. 20,000 vectors \
      inserted per second; the index alone built 50 times faster than hnswlib's; open to first answer within 20 ms; at \
      most 520 bytes per vector beyond float32.

      EXAMPLE
        bench vectors --base base.f32 --queries queries.f32 --dimensions 384 --truth truth.i32
      """)

  @Option(help: "The rows.")
  var base: String

  @Option(help: "The vectors to search for.")
  var queries: String

  @Option(help: "Numbers per row.")
  var dimensions: Int

  @Option(help: "The numbers of the true neighbours of each query, nearest first.")
  var truth: String

  @Option(help: "Neighbours to find.")
  var k = 10

  @Option(help: "A file for hnswlib's index: built and kept there, or reused. Default: built in the run.")
  var neighbors: String?

  @Flag(name: .customLong("no-hnsw"), help: "Skip hnswlib.")
  var noHNSW = false

  @Option(help: "Runs of each query.")
  var repeats = 3

  @Option(help: "A folder for the store: created and kept there, or reused. Default: created in the run and removed.")
  var store: String?

  @Option(help: "Episodes or vectors of one transaction.")
  var batch = 1000

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try CommonOptions.validate(
      counts: [("--dimensions", dimensions), ("--k", k), ("--repeats", repeats), ("--batch", batch)])
    guard k <= 100 else { throw ValidationError("--k is \(k); it must be in 1...100") }
  }

  func run() async throws {
    let options = VectorsOptions(
      base: base, queries: queries, truth: truth, dimensions: dimensions, k: k, repeats: repeats, batch: batch,
      store: store, hasNeighbours: !noHNSW, neighbours: neighbors)
    try await common.report { scratch in try await VectorsBenchmark(options, scratch: scratch).run() }
  }
}
