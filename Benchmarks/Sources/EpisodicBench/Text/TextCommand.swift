import ArgumentParser

struct TextCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "text",
    abstract: "Search by words beside FTS5's bm25 over the same file, per kind of query.",
    discussion: """
      Documents of 8 to 32 words, drawn by Zipf's law from 50,000 generated ones, each the context of an episode; the \
      cache is disabled. FTS5 ranks every match and keeps ten, through SQLite's C interface. Both run alternately on one \
      thread, the library three times as often. The first questions of each kind are compared with the exhaustive search \
      of the library: results agree if the scores are equal within 1e-9 at every rank and the documents are the same, \
      except for ties. Inserts are measured beside the same store without the index of words, \
      and beside a file with only an FTS5 table.

      With --hybrid-vectors each episode gets a row of that file as its vector, and recall by text and vector together \
      is measured beside the same without any signal but the fusion, beside its two legs alone, and with a date in the \
      question. Then every tenth episode gets a vector of a second model, and a question that names no space is measured \
      beside one that does.

      Targets for 1,000,000 documents: OR of 8, the commonest word and a word in 2 % at least 20 times faster than FTS5, \
      a phrase 5 times, none slower than 1.1 times; the same ten in 99 % of the queries; inserts at half of FTS5's rate \
      or more; hybrid recall within 20 ms, at most 1.3 times its legs together and 1.5 times the fusion alone; a question \
      without a space at most 1.1 times one with it.

      EXAMPLE
        bench text --documents 100000 --hybrid-vectors base.f32 --dimensions 384
      """)

  @Option(help: "Documents in the store.")
  var documents: Int

  @Option(help: "Queries, over all kinds.")
  var queries = 1000

  @Option(help: "A folder for the store: created and kept there, or reused. Default: created in the run and removed.")
  var store: String?

  @Option(help: "Float32 rows, one for each document or more.")
  var hybridVectors: String?

  @Option(help: "Numbers of a row of --hybrid-vectors.")
  var dimensions: Int?

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try CommonOptions.validate(
      counts: [("--documents", documents), ("--queries", queries), ("--dimensions", dimensions ?? 1)])
    guard (hybridVectors == nil) == (dimensions == nil) else {
      throw ValidationError("--hybrid-vectors and --dimensions go together")
    }
  }

  func run() async throws {
    let options = TextOptions(
      documents: documents, queries: queries, seed: common.seed, store: store, vectors: hybridVectors,
      dimensions: dimensions)
    try await common.report { scratch in try await TextBenchmark(options, scratch: scratch).run() }
  }
}
