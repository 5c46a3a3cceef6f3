import Episodic
import Foundation
import ProcessSpawning

/// The recorded command as a child process.
///
/// It shares this process's terminal, process group, standard input and environment, so that it runs as it would without
/// `record`.
struct ChildProcess {
  struct Outcome {
    enum Ending {
      case exited(Int32)
      case killed(signal: Int32)
      case notStarted(StartFailure)
    }

    let ending: Ending
    let output: OutputCapture
    let duration: Duration
    /// The standard stream of this process that could not be written, and the `errno`, unless its reader had gone.
    let failure: (stream: Int32, number: Int32)?

    var succeeded: Bool {
      if case .exited(0) = ending { true } else { false }
    }

    /// A shell's exit status: 128 and the signal for a command that was killed, 127 or 126 for one that did not start.
    var exitStatus: Int32 {
      switch ending {
      case .exited(let status): status
      case .killed(let signal): 128 + signal
      case .notStarted(let failure): failure.exitStatus
      }
    }

    /// A line to follow the output; `nil` for a command that exited.
    var note: String? {
      switch ending {
      case .exited: nil
      case .killed(let signal): "[killed by signal \(signal): \(String(cString: strsignal(signal)))]"
      case .notStarted(let failure): "[\(failure.message)]"
      }
    }
  }

  /// Why a command did not start, in the terms of a shell or `env`.
  struct StartFailure: Error {
    let name: String
    /// The `errno`.
    let number: Int32

    /// 127 if there is no such command, 126 if it cannot be run.
    var exitStatus: Int32 { number == ENOENT ? 127 : 126 }

    var message: String {
      let reason =
        switch number {
        case ENOENT where !name.contains("/"): "there is no such program in PATH; check its name or give its path"
        case ENOENT: "there is no such file, or not the interpreter that its first line names; check the path"
        case EACCES: "it may not be executed; check its mode, and that it is no directory"
        default: "\(String(cString: strerror(number))); check that it is a program"
        }
      return "cannot run \(name): \(reason)"
    }
  }

  let words: CommandWords
  /// Bytes of output to keep.
  let limit: Int
  /// Whether its standard streams are a pseudo-terminal, of a session of its own.
  var usesTerminal = false

  /// What the command has as its standard streams.
  private enum Streams {
    case pipes([(ours: Int32, its: Int32)])
    /// The path of a terminal.
    case terminal(String)
  }

  /// Runs the command to its end. Blocks the thread.
  ///
  /// - Throws: `.unavailable` if the system lacks the resources for a process; nothing ran then.
  func run() throws(MemoryError) -> Outcome {
    // A reader that goes away ends the command, not the recording of it.
    signal(SIGPIPE, SIG_IGN)
    defer { signal(SIGPIPE, SIG_DFL) }
    let signals = try SignalInbox()
    if usesTerminal {
      var relay = try TerminalRelay(signals: signals, keeping: limit)
      return try run(.terminal(relay.terminal.path)) { child in
        (child.map { relay.run($0) }, relay.output, relay.failure)
      }
    }
    var relay = try OutputRelay(signals: signals, keeping: limit)
    return try run(.pipes(relay.childStreams)) { child in (child.map { relay.run($0) }, relay.output, relay.failure) }
  }

  /// - Parameter relay: Relays until the process that is given has ended; `nil` if none was started.
  private func run(
    _ streams: Streams,
    _ relay: (pid_t?) -> (OutputRelay.End?, OutputCapture, (stream: Int32, number: Int32)?)
  ) throws(MemoryError) -> Outcome {
    let begin = ContinuousClock.now
    switch try start(streams) {
    case .failure(let failure):
      return Outcome(
        ending: .notStarted(failure), output: relay(nil).1, duration: ContinuousClock.now - begin, failure: nil)
    case .success(let child):
      let (end, output, failure) = relay(child)
      let status = end?.status ?? 0
      let signal = status & 0x7F
      return Outcome(
        ending: signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal), output: output,
        duration: (end?.time ?? .now) - begin, failure: failure)
    }
  }

  // MARK: Starting

  /// Starts the command as `execvp` does: found in `PATH`, and run by `sh` if it is a script without an interpreter line.
  ///
  /// - Throws: `.unavailable` if the system lacks the resources for a process.
  private func start(_ streams: Streams) throws(MemoryError) -> Result<pid_t, StartFailure> {
    let name = words.words.first ?? []
    func failure(_ number: Int32) -> Result<pid_t, StartFailure> {
      .failure(StartFailure(name: name.isEmpty ? "''" : String(decoding: name, as: UTF8.self), number: number))
    }
    var reason = ENOENT
    for path in Self.candidates(for: name) {
      do throws(Spawn.Failure) {
        return .success(try start(path, streams))
      } catch {
        switch error.number {
        case EAGAIN, ENOMEM, EMFILE, ENFILE:
          throw MemoryError(.unavailable, "cannot start a process: \(error); end others, or raise the limit")
        // As execvp: the next directory is tried, and without a match there a denied permission is the reason.
        case EACCES: reason = EACCES
        case ENOENT where !name.contains(UInt8(ascii: "/")), ENOTDIR where !name.contains(UInt8(ascii: "/")): break
        default: return failure(error.number)
        }
      }
    }
    return failure(reason)
  }

  /// The paths under which a shell would look for it.
  private static func candidates(for name: [UInt8]) -> [[UInt8]] {
    guard !name.isEmpty else { return [] }
    guard !name.contains(UInt8(ascii: "/")) else { return [name] }
    let path = getenv("PATH").map { CommandWords.bytes($0) } ?? Array("/bin:/usr/bin".utf8)
    return path.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map { directory in
      directory.isEmpty ? name : directory + Array("/".utf8) + name
    }
  }

  private func start(_ path: [UInt8], _ streams: Streams) throws(Spawn.Failure) -> pid_t {
    var spawn = Spawn()
    let state = ProcessStart.state
    switch streams {
    case .pipes(let pipes):
      for stream in pipes { spawn.duplicate(stream.ours, as: stream.its) }
      for stream in state.closedStreams { spawn.close(stream) }
    case .terminal(let path):
      // The first terminal that the leader of a session opens becomes the session's.
      spawn.useNewSession()
      spawn.open(path, O_RDWR, as: STDIN_FILENO)
      for stream in [STDOUT_FILENO, STDERR_FILENO] { spawn.duplicate(STDIN_FILENO, as: stream) }
    }
    // The signals as this process was started with them: those not ignored then get their default action, and signals
    // blocked by this thread, perhaps by a library, are not blocked.
    spawn.resetSignals(
      (SignalInbox.forwarded + [SIGPIPE, SIGCHLD]).filter { !state.ignoredSignals.contains($0) })
    spawn.block(state.signalMask)
    do throws(Spawn.Failure) {
      return try spawn.start(path, words.words)
    } catch  where error.number == ENOEXEC {
      let shell = Array("/bin/sh".utf8)
      // With a directory, so that `sh` takes it neither for an option nor for a name to look for in PATH.
      let script = path.contains(UInt8(ascii: "/")) ? path : Array("./".utf8) + path
      return try spawn.start(shell, [shell, script] + words.words.dropFirst())
    }
  }
}
