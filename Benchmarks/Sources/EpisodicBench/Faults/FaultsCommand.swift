import ArgumentParser
import CFaults
import Foundation

/// How `bench faults` chooses where to strike.
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
    abstract: "Strikes the command at its system calls, and sees that nothing is lost, hangs or crashes.",
    discussion: """
      Runs `episodic` under ptrace and strikes it at a system call on a file of its store, at one call after the other:

        --kind kill   SIGKILL before the call. Of opening a new store, record, close, migrate, import and rebuild.
        --kind error  The call fails, with each error that its manual page knows, or reads or writes only half. Of \
      record, recall, import, check, rebuild, open and close. The command may say no (exit 1 or 3); if it exits with 0, \
      what it promised is there.
        --kind stop   All of it stands still after a call that took a lock. Nine commands are run beside it: reads \
      must answer, all must end within a bound that follows from --busy-timeout. Then it is killed.

      After each strike the next command must work (which one it is takes turns), everything that was ever acknowledged \
      in that store must be there and be found, `episodic check` must pass, and no temporary file may stay behind. \
      Something that must not happen is told with the command that shows it again, and makes the exit status 1.

      Linux on x86-64 and 64-bit ARM; elsewhere, and where a container forbids ptrace, it says that it skips. All calls \
      of all verbs take hours: --every N takes each Nth of them, every error beginning at another; --seconds S ends it \
      after so long, with strikes spread over all calls.

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
    help: "open, record, recall, import, check, rebuild, close, migrate; by default those of the kind.")
  var verb: [FaultVerb] = []

  @Option(parsing: .upToNextOption, help: "Strike at these calls only, such as pwrite fsync.")
  var calls: [FaultCall] = []

  @Option(parsing: .upToNextOption, help: "Let calls fail with these only, such as EIO ENOSPC short.")
  var errors: [FaultError] = []

  @Option(help: "Strike at each Nth call.")
  var every = 1

  @Option(help: "Strike at this call only, counted from 1.")
  var at: Int?

  @Flag(help: "Let all calls fail from the one on at which it is struck: the disk stays full.")
  var lasting = false

  @Option(help: "End after so many seconds.")
  var seconds: Int?

  @Option(help: "How long commands wait for others, in seconds.")
  var busyTimeout = 2

  @Option(help: "The command to strike. Default: the one that was built beside this program.")
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
      // What one leaves of its share, the others have.
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
