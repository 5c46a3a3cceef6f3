import ArgumentParser
import Episodic

struct LedgerStateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "state", abstract: "Keeps named JSON values of applications, with their versions.",
    discussion: """
      Each put makes a version. With --expecting it is a compare-and-set: it fails if another program was faster.

      EXAMPLES:
        episodic ledger state put chess game-7 '{"moves": ["e4"]}'
        episodic ledger state put chess game-7 '{"moves": ["e4", "e5"]}' --expecting 1
        episodic ledger state get chess game-7
      """,
    subcommands: [StateGet.self, StatePut.self, StateList.self, StateVersions.self, StateDelete.self])
}

/// A state of an application.
struct NamedState: ParsableArguments {
  @Argument(help: ArgumentHelp("Whose state it is.", valueName: "application"))
  var application: String

  @Argument(help: ArgumentHelp("The state's name.", valueName: "name"))
  var name: String
}

struct StateGet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Prints the value of a state as JSON; exits with 1 if there is none.",
    discussion: """
      With --json the version and the time are printed too.

      EXAMPLES:
        episodic ledger state get chess game-7
        episodic ledger state get chess game-7 --version 3 --json
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var state: NamedState

  @Option(help: ArgumentHelp("A version that is kept; the current one by default.", valueName: "n"))
  var version: Int?

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let found = try await store.withLedger { ledger in
      guard let version else { return try await ledger.state(state.name, of: state.application) }
      return try await ledger.state(state.name, of: state.application, version: version)
    }
    let kind = version.map { "version \($0) of state" } ?? "state"
    let shown = try LedgerList.found(found, kind, "\(state.name) of \(state.application)")
    StandardOutput.write(output.json ? try JSON(ledger: shown) : shown.value)
  }
}

struct StatePut: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "put", abstract: "Puts a new version of a state.",
    discussion: """
      The ledger is created if there is none. Exits with 2 if the version is not the expected one.

      EXAMPLES:
        episodic ledger state put chess game-7 '{"moves": ["e4"]}' --expecting 0
        episodic ledger state put chess game-7 - < game.json
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var state: NamedState

  @Argument(help: ArgumentHelp("The value, as JSON; - reads standard input.", valueName: "json"))
  var value: String

  @Option(help: ArgumentHelp("The version that must be the current one; 0: there must be none.", valueName: "n"))
  var expecting: Int?

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let value = self.value == "-" ? try StandardInput.json() : try MetadataText.parseValue(self.value)
    let put = try await store.withLedger(creating: true) { ledger in
      try await ledger.put(state: state.name, of: state.application, value, expecting: expecting)
    }
    try LedgerList.write(put, output, "\(put.name): version \(put.version)")
  }
}

struct StateList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists the states of an application, by name.",
    discussion: """
      EXAMPLES:
        episodic ledger state list chess
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("Whose states are listed.", valueName: "application"))
  var application: String

  @Option(help: ArgumentHelp("Continue after this state, the last of a previous list.", valueName: "name"))
  var afterState: String?

  @Option(help: ArgumentHelp("States to list, 1 to 1000.", valueName: "n"))
  var limit = 100

  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let states = try await store.withLedger { ledger in
      try await ledger.states(of: application, after: afterState, limit: limit)
    }
    try StateLines.write(states, output, times, empty: "no states")
  }
}

struct StateVersions: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "versions", abstract: "Lists the versions of a state that are kept, newest first.",
    discussion: """
      EXAMPLES:
        episodic ledger state versions chess game-7
        episodic ledger state versions chess game-7 --before 40 --json
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var state: NamedState

  @Option(help: ArgumentHelp("Only versions before this one.", valueName: "n"))
  var before: Int?

  @Option(help: ArgumentHelp("Versions to list, 1 to 1000.", valueName: "n"))
  var limit = 100

  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let versions = try await store.withLedger { ledger in
      try await ledger.versions(ofState: state.name, of: state.application, before: before, limit: limit)
    }
    try StateLines.write(versions, output, times, empty: "no versions")
  }
}

struct StateDelete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Deletes a state with its versions; exits with 1 if there is none.",
    discussion: """
      EXAMPLES:
        episodic ledger state delete chess game-7 --expecting 12
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var state: NamedState

  @Option(help: ArgumentHelp("The version that must be the current one.", valueName: "n"))
  var expecting: Int?

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let wasThere = try await store.withLedger { ledger in
      try await ledger.delete(state: state.name, of: state.application, expecting: expecting)
    }
    _ = try LedgerList.found(wasThere ? state.name : nil, "state", "\(state.name) of \(state.application)")
    LedgerList.writeRemoved(state.name, output)
  }
}

/// States as a table or as JSON.
private enum StateLines {
  static func write(
    _ states: [Ledger.ApplicationState], _ output: OutputOptions, _ times: TimeOptions, empty: String
  ) throws {
    try LedgerList.write(
      states, as: "states", output, empty: empty,
      [
        .init("NAME"), .init("VERSION", isNumber: true), .init("CHANGED", rank: 2),
        .init("VALUE", isText: true, rank: 1),
      ]
    ) { state in
      [
        .init(state.name), .init("\(state.version)"), .init(times.format.inTable(state.changedAt)),
        .init(state.value.canonicalText),
      ]
    }
  }
}
