import ArgumentParser
import Episodic

struct Delete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Deletes an episode with its steps, vectors and links.",
    discussion: """
      Asks nothing, since it deletes what is named and nothing else: says on standard error what was deleted, and prints \
      the id. Exits 1 if there is no such episode. A beginning of an id and @last are accepted only with --yes, or after a \
      question on a terminal. There is no way back but a backup; archive keeps an episode out of recall instead.

      EXAMPLES:
        episodic delete 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60
        episodic delete @last --yes
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var target: EpisodeArguments

  @Flag(help: "Delete without a question also what is not named by its whole id.")
  var yes = false

  @OptionGroup var output: OutputOptions

  func run() async throws {
    var reference = target.episode
    if target.readsInput {
      var object = try InputObject("an episode to delete")
      reference = try target.reference(&object)
      try object.end()
    }
    let wanted = reference
    let episode = try await store.withMemory(for: .shortWrite) { memory in
      let id = try await EpisodeReference.resolve(wanted, in: target.domain, memory)
      guard let episode = try await memory.episode(id) else { throw MemoryError(.notFound, "no episode \"\(wanted)\"") }
      if id != Episode.ID(wanted), !yes { try Confirmation.require("delete \(episode.sentence)?", instead: "--yes") }
      guard try await memory.delete(id) else { throw MemoryError(.notFound, "no episode \"\(wanted)\"") }
      return episode
    }
    if output.json {
      StandardOutput.write([
        "id": .string(episode.id.rawValue), "deleted": true, "steps": .integer(Int64(episode.steps.count)),
      ])
    } else {
      StandardError.write("deleted \(episode.sentence)")
      StandardOutput.write(episode.id.rawValue.onOneLine)
    }
  }
}

extension Episode {
  /// `0193… (failed, 3 steps): the login test fails`.
  fileprivate var sentence: String {
    "\(id.rawValue.onOneLine) (\(outcome), \(counted(steps.count, "step"))): \(context.onOneLine.fitted(to: 60))"
  }
}
