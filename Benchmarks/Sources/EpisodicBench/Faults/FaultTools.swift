import CFaults
import Foundation

/// The programs that are struck, and how long they may take.
struct FaultTools: Sendable {
  /// How long a busy machine may take for what an idle one does at once.
  private static let margin = Duration.seconds(90)

  /// `episodic`.
  let command: TracedProgram
  /// This program as `FaultsWorkerCommand`.
  let worker: TracedProgram
  /// The folder with everything whose calls count.
  let folder: String
  /// The folder for what programs read and print.
  let streams: String
  /// How long a command waits for others, by its option.
  let busyTimeout: Duration
  private let takesBusyTimeout: Bool

  /// After which a command counts as one that waits without a bound: it may wait for more than one thing.
  var deadline: Duration { busyTimeout * 4 + Self.margin }
  /// The same beside a process that stands still, where waiting is what is tested: a wait of 30 s, which is what the
  /// timeout is unless it is set, is one that did not heed it.
  var neighbourDeadline: Duration { busyTimeout * 4 + .seconds(20) }

  init(episodic: String?, busyTimeout: Int, scratch: ScratchDirectory) throws {
    if let why = faults_unsupported() { throw BenchError(String(cString: why)) }
    guard let bench = Bundle.main.executablePath else { throw BenchError("where this program lies is not known") }
    // It is built beside this one.
    let path = episodic ?? URL(filePath: bench).deletingLastPathComponent().appending(path: "episodic").path
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw BenchError("\(path) is no program; name the command that is to be struck with --episodic PATH")
    }
    (folder, streams) = (scratch.path(of: "attacked"), scratch.path(of: "streams"))
    for path in [folder, streams] {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    var variables = ProcessInfo.processInfo.environment
    variables["TMPDIR"] = folder + "/tmp"
    variables["EPISODIC_STORE"] = nil
    // A crash is a finding here, and is told in a line; the tracer of the Swift runtime would take seconds for each.
    variables["SWIFT_BACKTRACE"] = "enable=no"
    let environment = variables.map { "\($0)=\($1)" }
    command = TracedProgram(executable: path, folder: folder, streams: streams, environment: environment)
    worker = TracedProgram(executable: bench, folder: folder, streams: streams, environment: environment)
    let help = try command.run(["list", "--help"], deadline: Self.margin)
    takesBusyTimeout = help.output.contains("--busy-timeout")
    self.busyTimeout = takesBusyTimeout ? .seconds(busyTimeout) : .seconds(30)
  }

  /// The arguments of a command on a store.
  func words(_ arguments: [String], store: String) -> [String] {
    let bound = takesBusyTimeout ? ["--busy-timeout", "\(Int(busyTimeout / .seconds(1)))"] : []
    return [arguments[0], "--store", store] + bound + arguments.dropFirst()
  }
}
