import ArgumentParser
import Episodic

struct Rebuild: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild",
    abstract: "Rebuilds everything derived: cache, full-text indexes, and the index of words and vectors.",
    discussion: """
      Changes no results; the primary's episodes are only read. Use it after a failed check. If a text and its \
      full-text index disagree, one of them is damaged, and rebuild refuses: an index rebuilt from a damaged text would \
      hide the damage.

      EXAMPLES:
        episodic rebuild && episodic check
      """)

  @OptionGroup var store: StoreOptions

  @Flag(help: "Accept the texts as correct if they and their full-text index disagree.")
  var acceptTexts = false

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let begin = ContinuousClock.now
    try await store.withMemory { memory in
      defer { StandardError.endProgress() }
      try await memory.rebuild(acceptingTexts: acceptTexts) { progress in
        StandardError.progress("rebuilding the \(progress.stage)\(progress.share)")
      }
    }
    let duration = ContinuousClock.now - begin
    if output.json {
      StandardOutput.write(["store": .string(store.path), "ms": .integer(duration.milliseconds)])
    } else {
      StandardOutput.write("rebuilt \(store.path.onOneLine) in \(duration.displayText)")
    }
  }
}

extension RebuildProgress {
  /// ` 42 %`, if the total is known.
  fileprivate var share: String {
    guard let total, total > 1 else { return "" }
    return " \(min(100, 100 * done / total)) %"
  }
}
