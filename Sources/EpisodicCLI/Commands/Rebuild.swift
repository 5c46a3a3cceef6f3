import ArgumentParser
import Episodic

struct Rebuild: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes everything derived anew: cache, full-text indexes, and the index of words and vectors.",
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
      try await memory.rebuild { progress in
        if StandardError.isTerminal { StandardError.rewrite("rebuilding the \(progress.stage)\(progress.share)") }
      }
    }
    StandardOutput.write("rebuilt \(store.path.onOneLine) in \((ContinuousClock.now - begin).forPeople)")
  }
}

extension RebuildProgress {
  /// ` 42 %`, where it is known.
  fileprivate var share: String {
    guard let total, total > 1 else { return "" }
    return " \(min(100, 100 * done / total)) %"
  }
}
