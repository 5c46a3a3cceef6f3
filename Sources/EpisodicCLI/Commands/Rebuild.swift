import ArgumentParser
import Episodic

struct Rebuild: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes everything derived anew: the cache and the full-text indexes.",
    discussion: """
      Changes no answer; the primary's episodes are only read. Use it after a check that failed.

      EXAMPLES:
        episodic rebuild && episodic check
      """)

  @OptionGroup var store: StoreOptions

  func run() async throws {
    let begin = ContinuousClock.now
    try await store.withMemory { memory in
      defer { if StandardError.isTerminal { StandardError.rewrite("") } }
      try await memory.rebuild { stage in
        if StandardError.isTerminal { StandardError.rewrite("rebuilding the \(stage)") }
      }
    }
    StandardOutput.write("rebuilt \(store.path.onOneLine) in \((ContinuousClock.now - begin).forPeople)")
  }
}
