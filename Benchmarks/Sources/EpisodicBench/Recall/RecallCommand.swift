import ArgumentParser
import Foundation

struct RecallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recall",
    abstract: "How good the answers are, on a folder of episodes, queries and judgements.",
    discussion: """
      Imports episodes.jsonl, asks every query of queries.jsonl with the defaults of the library, and scores the \
      answers by qrels.jsonl (a gain of 2^relevance - 1; the exclude_ids of a query are dropped first). By text; \
      and, where the folder has NAME.episodes.f32 and NAME.queries.f32, by vector and by both.

      EXAMPLE
        bench recall --data DIR
      """)

  @Option(help: "The folder with episodes.jsonl, queries.jsonl and qrels.jsonl.")
  var data: String

  @OptionGroup var common: CommonOptions

  func validate() throws {
    for name in ["episodes.jsonl", "queries.jsonl", "qrels.jsonl"] {
      guard FileManager.default.isReadableFile(atPath: data + "/" + name) else {
        throw ValidationError("\(data) has no \(name) that can be read")
      }
    }
  }

  func run() async throws {
    try await common.report { scratch in try await RecallBenchmark(data: data, scratch: scratch).run() }
  }
}
