import ArgumentParser
import Episodic

struct Complete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "complete",
    abstract: "Completes an active episode.",
    discussion: """
      Prints the id. Exits 1 if there is no such episode, 2 if it is not active. With - one JSON object is read: id, \
      success_rate.

      EXAMPLES:
        episodic complete "$id"
        episodic complete @last --success-rate 0.8
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var target: EpisodeArguments
  @OptionGroup var rate: SuccessRateOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await StatusChange(store: store, target: target, rate: rate, output: output).run {
      (memory, id, rate) async throws(MemoryError) in try await memory.complete(id, successRate: rate)
    }
  }
}

struct Fail: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fail",
    abstract: "Ends an active episode as failed.",
    discussion: """
      Prints the id. Exits 1 if there is no such episode, 2 if it is not active. With - one JSON object is read: id, \
      success_rate.

      EXAMPLES:
        episodic fail "$id"
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var target: EpisodeArguments
  @OptionGroup var rate: SuccessRateOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await StatusChange(store: store, target: target, rate: rate, output: output).run {
      (memory, id, rate) async throws(MemoryError) in try await memory.fail(id, successRate: rate)
    }
  }
}

struct Archive: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "archive",
    abstract: "Archives an episode: it is kept, and recalled only with --status archived.",
    discussion: """
      Prints the id. Exits 1 if there is no such episode, 2 if it is archived already.

      EXAMPLES:
        episodic archive 0193e0a4
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var target: EpisodeArguments
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await StatusChange(store: store, target: target, rate: nil, output: output).run {
      (memory, id, _) async throws(MemoryError) in try await memory.archive(id)
    }
  }
}

struct Reopen: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reopen",
    abstract: "Makes an episode active again, so that steps can be appended.",
    discussion: """
      Clears its completion time and success rate. Prints the id. Exits 1 if there is no such episode, 2 if it is active \
      already.

      EXAMPLES:
        episodic reopen @last
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var target: EpisodeArguments
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await StatusChange(store: store, target: target, rate: nil, output: output).run {
      (memory, id, _) async throws(MemoryError) in try await memory.reopen(id)
    }
  }
}

struct SuccessRateOptions: ParsableArguments {
  @Option(help: ArgumentHelp("0 to 1; the share of steps that succeeded by default.", valueName: "rate"))
  var successRate: Double?
}

/// A change of an episode's status, which the four commands have in common.
private struct StatusChange {
  let store: StoreOptions
  let target: EpisodeArguments
  /// `nil` for a change that sets no rate.
  let rate: SuccessRateOptions?
  let output: OutputOptions

  func run(_ change: (Memory, Episode.ID, Double?) async throws(MemoryError) -> Episode) async throws {
    var reference = target.episode
    var successRate = rate?.successRate
    if target.readsInput {
      var object = try InputObject("an episode to change")
      reference = try target.reference(&object)
      if let rate {
        let given = try object.number("success_rate")
        guard given == nil || rate.successRate == nil else {
          throw ValidationError("the success rate is in the object too; leave --success-rate out")
        }
        successRate = given ?? rate.successRate
      }
      try object.end()
    }
    let episode = try await store.withMemory(for: .shortWrite) { memory in
      try await change(memory, try await EpisodeReference.resolve(reference, in: target.domain, memory), successRate)
    }
    output.json ? StandardOutput.write(episode.json) : StandardOutput.write(episode.id.rawValue.onOneLine)
  }
}
