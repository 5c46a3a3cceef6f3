import ArgumentParser
import Foundation

struct RecallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recall",
    abstract: "Retrieval metrics on folders of episodes, queries and judgements.",
    discussion: """
      Imports episodes.jsonl of each folder into a store, runs every query of queries.jsonl, and scores the results by \
      qrels.jsonl: the share of the relevant episodes among the first 5, 10 and 20 (R@5 ...), nDCG@10 with a gain of \
      2^relevance - 1, and one over the rank of the first relevant one (MRR, 0 beyond 100). The exclude_ids of a query \
      are dropped first. The runs are text, and with NAME.episodes.f32 and NAME.queries.f32 in the folder also vector \
      and hybrid: the defaults of the library, then the same with each signal switched off. Yardsticks: Okapi bm25 over \
      the contexts and over contexts and steps, without stemming or stop words, and reciprocal-rank fusion of the \
      first with the vectors.

      Intervals hold 95 % of the means of bootstrap samples of the queries, seeded by --seed. What a signal adds is the \
      mean over the queries of the difference between the defaults and the run without it.

      --require [SET:][RUN:][CATEGORY:]METRIC>=X exits with 1 if a figure is lower. SET is the name of a folder (default: \
      each), RUN one of the names printed (words is text, vectors is vector; default: hybrid, or text without vectors), \
      METRIC recall@5, recall@10, recall@20, ndcg@10 or mrr.

      EXAMPLES
        bench recall --data DIR
        bench recall --data DIR --require 'words:recall@10>=.76' --require 'temporal:recall@10>=.8'
        bench recall --data A --data B --tolerance .005
        bench recall --data DIR --no-ablations --try vectorWeight=.5 --try vectorWeight=.6
      """)

  @Option(help: "A folder with episodes.jsonl, queries.jsonl and qrels.jsonl; may be given several times.")
  var data: [String]

  @Option(help: "A figure that must be reached, such as 'words:recall@10>=.76'; may be given several times.")
  var require: [Requirement] = []

  @Option(help: "Exit with 1 if a signal that is on by default lowers R@10 or nDCG@10 of a folder by more than this.")
  var tolerance: Double?

  @Option(help: "Also score the queries whose id contains this text, and the others, apart.")
  var apart: String?

  @Option(help: "Which of several NAME.episodes.f32 to use. Default: the first by name.")
  var vectorsFrom: String?

  @Option(help: "Bootstrap samples for each interval.")
  var samples = 1000

  @Flag(help: "Leave out the runs with a signal switched off.")
  var noAblations = false

  @Option(
    name: .customLong("try"),
    help: ArgumentHelp(
      "Also run with other weights, such as 'vectorWeight=.5,sessionWeight=.3'; may be given several times. Weights: \(RankingWeights.names).",
      valueName: "weights"))
  var tries: [RankingWeights] = []

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try CommonOptions.validate(counts: [("--samples", samples)])
    for folder in data {
      for name in ["episodes.jsonl", "queries.jsonl", "qrels.jsonl"] {
        guard FileManager.default.isReadableFile(atPath: folder + "/" + name) else {
          throw ValidationError("\(folder) has no \(name) that can be read")
        }
      }
    }
    guard Set(data.map(RecallSet.name(of:))).count == data.count else {
      throw ValidationError("two folders of --data have one name; the report tells them apart by it")
    }
    guard tolerance == nil || !noAblations else {
      throw ValidationError("--tolerance needs the runs that --no-ablations leaves out")
    }
  }

  func run() async throws {
    let options = RecallOptions(
      samples: samples, seed: common.seed, hasAblations: !noAblations, tries: tries, apart: apart,
      requirements: require,
      tolerance: tolerance)
    try await common.report { scratch in
      let sets = try data.map { try RecallSet(in: $0, vectorsFrom: vectorsFrom) }
      return try await RecallBenchmark(sets: sets, options: options, scratch: scratch).run()
    }
  }
}

/// The options of `bench recall`.
struct RecallOptions {
  let samples: Int
  let seed: UInt64
  let hasAblations: Bool
  let tries: [RankingWeights]
  let apart: String?
  let requirements: [Requirement]
  let tolerance: Double?
}
