import ArgumentParser

struct VectorsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vectors",
    abstract: "Search by vector: build, opening, inserts, latency, recall, filters, beside hnswlib and the exact scan.",
    discussion: """
      An episode and a vector for each row, inserted in durable batches, the cache switched off. Queries are asked one \
      by one on one thread; a row counts as found where it is as near as the last of the true neighbours. hnswlib (M \
      16, efConstruction 200) is asked the same in turns, at 16 values of ef; between two of them its cost is taken \
      as linear in the recall, so that medians are compared at equal recall. Filters let 10 % and 1 % of the rows \
      through, by domain, task type and time; their truth is computed here. Opening is measured in fresh processes.

      Files are raw little-endian: float32 rows, and int32 rows of true neighbours, as many to a query as the file has.

      Asked of 384 dimensions, k 10 and recall .99 or more: of 100,000 rows at most half of hnswlib's median at the \
      same recall; of 1,000,000 at most 2.5 times, and no more where the recall is .998 or more, p99 at most 2.5 times \
      the median. A filter of 10 % at most 0.5 and of 1 % at most 0.2 of the unfiltered median. 20,000 vectors \
      inserted a second; the index alone built 50 times faster than hnswlib's; opened and answered within 20 ms; at \
      most 520 bytes a vector beyond the float32 ones.

      EXAMPLE
        bench vectors --base base.f32 --queries queries.f32 --dimensions 384 --truth truth.i32
      """)

  @Option(help: "The rows.")
  var base: String

  @Option(help: "The rows to look for.")
  var queries: String

  @Option(help: "Numbers of a row.")
  var dimensions: Int

  @Option(help: "The numbers of the true neighbours of each query, nearest first.")
  var truth: String

  @Option(help: "Neighbours to find.")
  var k = 10

  @Option(help: "A file for hnswlib's index: built and kept there, or used again. Default: built in the run.")
  var neighbors: String?

  @Flag(name: .customLong("no-hnsw"), help: "Leave hnswlib out.")
  var noHNSW = false

  @Option(help: "How often each query is asked.")
  var repeats = 3

  @Option(help: "A folder for the store: made and kept there, or used again. Default: made in the run and removed.")
  var store: String?

  @Option(help: "Episodes or vectors of one transaction.")
  var batch = 1000

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try CommonOptions.validate(
      counts: [("--dimensions", dimensions), ("--k", k), ("--repeats", repeats), ("--batch", batch)])
    guard k <= 100 else { throw ValidationError("--k is \(k); it lies in 1...100") }
  }

  func run() async throws {
    let options = VectorsOptions(
      base: base, queries: queries, truth: truth, dimensions: dimensions, k: k, repeats: repeats, batch: batch,
      store: store, hasNeighbours: !noHNSW, neighbours: neighbors)
    try await common.report { scratch in try await VectorsBenchmark(options, scratch: scratch).run() }
  }
}
