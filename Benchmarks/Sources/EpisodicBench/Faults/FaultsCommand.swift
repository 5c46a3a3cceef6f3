import ArgumentParser
import CFaults
import Episodic
import Foundation

/// The options of `bench faults` that select calls.
struct FaultOptions: Sendable {
  var calls: [FaultCall]
  var errors: [FaultError]
  var every: Int
  var at: Int?
  var isLasting: Bool
  var seed: UInt64
}

struct FaultsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "faults",
    abstract: "Injects faults into system calls of the command, and checks that nothing is lost, hangs or crashes.",
    discussion: """
      Runs `episodic` under ptrace and injects a fault (a strike) into a system call on a file of its store, into one \
      call after the other:

        --kind kill   SIGKILL before the call. In opening a new store, record, close, migrate, import, rebuild, backup, \
      restore, forget and maintain.
        --kind error  The call fails, with each error of its manual page, or reads or writes only half. In record, \
      recall, import, check, rebuild, open, close, backup, restore, forget and maintain. The command may fail (exit 1 \
      or 3); if it exits with 0, its writes must exist.
        --kind stop   All threads stop after a call that took a lock. Nine commands are run beside the process: reads \
      must succeed, all must end within a bound that follows from --busy-timeout. Then it is killed.

      After each strike the next command must succeed (which one alternates), everything ever acknowledged in that \
      store must exist and be found, `episodic check` must pass, and no temporary file may be left behind. After restore and \
      forget the store must be the one from before or the one asked for, every backup must verify, and no file may have a \
      byte of what was forgotten. A problem is \
      printed with the command that reproduces it, and makes the exit status 1.

      Linux on x86-64 and 64-bit ARM; elsewhere, and in a container that forbids ptrace, it reports that it skips. All \
      calls of all verbs take hours: --every N selects each Nth of them, each error beginning at another; --seconds S \
      limits the time, with strikes spread over all calls.

      EXAMPLES
        bench faults --seconds 100
        bench faults --kind kill
        bench faults --kind error --verb record --calls pwrite fsync --errors ENOSPC --lasting
        bench faults --kind error --verb import --calls pwrite --errors EIO --at 17
        bench faults --every 10 --json > faults.json
      """)

  @Option(help: "kill, error or stop; all of them by default.")
  var kind: FaultKind?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "\(FaultVerb.allCases.map(\.rawValue).joined(separator: ", ")); by default those of the kind."))
  var verb: [FaultVerb] = []

  @Option(parsing: .upToNextOption, help: "Inject into these calls only, such as pwrite fsync.")
  var calls: [FaultCall] = []

  @Option(parsing: .upToNextOption, help: "Inject these errors only, such as EIO ENOSPC short.")
  var errors: [FaultError] = []

  @Option(help: "Inject into each Nth call.")
  var every = 1

  @Option(help: "Inject into this call only, counted from 1.")
  var at: Int?

  @Flag(help: "Let all later calls fail too: the disk stays full.")
  var lasting = false

  @Option(help: "End after this many seconds.")
  var seconds: Int?

  @Option(help: "The commands' --busy-timeout, in seconds.")
  var busyTimeout = 2

  @Option(help: "The command to test. Default: the one built beside this program.")
  var episodic: String?

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try CommonOptions.validate(counts: [
      ("--every", every), ("--at", at ?? 1), ("--seconds", seconds ?? 1), ("--busy-timeout", busyTimeout),
    ])
  }

  func run() async throws {
    try await common.report { scratch in
      if let why = faults_unsupported() {
        return FaultsReport(seconds: 0, tallies: [], problems: [], skipped: String(cString: why))
      }
      return try strikeAll(in: scratch)
    }
  }

  private func strikeAll(in scratch: ScratchDirectory) throws -> FaultsReport {
    let tools = try FaultTools(episodic: episodic, busyTimeout: busyTimeout, scratch: scratch)
    let options = FaultOptions(
      calls: calls, errors: errors, every: every, at: at, isLasting: lasting, seed: common.seed)
    let kinds = kind.map { [$0] } ?? FaultKind.allCases
    let campaigns = kinds.flatMap { kind in
      (verb.isEmpty ? FaultVerb.defaults(of: kind) : verb).map { verb in
        FaultCampaign(kind: kind, verb: verb, tools: tools, options: options, progress: Progress())
      }
    }
    let begin = ContinuousClock.now
    var tallies: [FaultTally] = []
    var problems: [FaultProblem] = []
    for (index, campaign) in campaigns.enumerated() {
      // Time that one campaign does not use is available to the others.
      let end = seconds.map { seconds in
        let left = Duration.seconds(seconds) - (ContinuousClock.now - begin)
        return ContinuousClock.now + left / (campaigns.count - index)
      }
      let (tally, found) = try campaign.run(until: end ?? .distant)
      tallies.append(tally)
      problems += found
    }
    return FaultsReport(
      seconds: (ContinuousClock.now - begin) / .seconds(1), tallies: tallies, problems: problems, skipped: nil)
  }
}

/// Opens a store, writes, and closes it; a line printed after a write acknowledges it.
///
/// The commands of `episodic` print their reports after closing the store. This one prints before, so that a kill during
/// the close shows whether closing loses acknowledged writes.
struct FaultsWorkerCommand: AsyncParsableCommand {
  static let name = "faults-worker"
  static let configuration = CommandConfiguration(
    commandName: name, abstract: "A process of bench faults.", shouldDisplay: false)

  @Option var store: String
  /// As `ID=WORD`.
  @Argument var episodes: [String]

  func run() async throws {
    let memory = try await Memory.open(at: store)
    for episode in episodes {
      let parts = episode.split(separator: "=").map(String.init)
      guard parts.count == 2 else { throw ValidationError("\(episode) is not ID=WORD") }
      let begun = try await memory.begin(
        .init(.testing, domain: "faults", context: "written and acknowledged", id: Episode.ID(parts[0])))
      try await memory.append(Step.Draft("true \(parts[1])", success: true), to: begun.id)
      try await memory.complete(begun.id)
      StandardOutput.write("written \(episode)")
    }
    try await memory.close()
  }
}
