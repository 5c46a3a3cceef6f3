import Episodic
import Foundation

/// Starts a command as `execvp` would: found in `PATH`, and by `sh` if it is a script that does not say by what.
struct CommandStart {
  /// Why a command could not be started, as a shell or `env` would tell it.
  struct Failure: Error {
    let name: String
    let number: Int32

    /// 127 if there is no such command, 126 if there is and it cannot be run.
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

  private enum Attempt {
    case started(pid_t)
    case refused(Int32)
  }

  let words: CommandWords
  /// Descriptors of ours that become standard streams of the command.
  let streams: [(ours: Int32, its: Int32)]

  /// - Returns: The process, or why there is none.
  /// - Throws: `.unavailable` where the system lacks what any process takes.
  func callAsFunction() throws(MemoryError) -> Result<pid_t, Failure> {
    let name = words.words.first ?? []
    var reason = ENOENT
    for path in Self.candidates(for: name) {
      switch start(path) {
      case .started(let child): return .success(child)
      case .refused(let number) where [EAGAIN, ENOMEM, EMFILE, ENFILE].contains(number):
        throw MemoryError(
          .unavailable, "cannot start a process: \(String(cString: strerror(number))); end others, or raise the limit")
      case .refused(EACCES): reason = EACCES
      case .refused(let number):
        // As execvp: what is not there is looked for in the next directory, anything else is the answer.
        if ![ENOENT, ENOTDIR].contains(number) || name.contains(UInt8(ascii: "/")) {
          return .failure(Failure(name: text(name), number: number))
        }
      }
    }
    return .failure(Failure(name: text(name), number: reason))
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

  private func start(_ path: [UInt8]) -> Attempt {
    let attempt = spawn(path, words)
    guard case .refused(ENOEXEC) = attempt else { return attempt }
    let shell = Array("/bin/sh".utf8)
    // Not a name that begins with a dash, nor one that `sh` would look for in PATH.
    let script = path.contains(UInt8(ascii: "/")) ? path : Array("./".utf8) + path
    return spawn(shell, CommandWords([shell, script] + words.words.dropFirst()))
  }

  private func spawn(_ path: [UInt8], _ words: CommandWords) -> Attempt {
    #if os(Linux)
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #else
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    for stream in streams { posix_spawn_file_actions_adddup2(&actions, stream.ours, stream.its) }
    for stream in ProcessStart.state.closedStreams { posix_spawn_file_actions_addclose(&actions, stream) }
    // Signals as this process found them, not as it needs them: what was not ignored is at its default, and what this
    // thread blocks, which may be one of a library's, is not blocked.
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for signal in SignalInbox.forwarded + [SIGPIPE, SIGCHLD] where !ProcessStart.state.ignoredSignals.contains(signal) {
      sigaddset(&defaults, signal)
    }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    var mask = ProcessStart.state.signalMask
    posix_spawnattr_setsigmask(&attributes, &mask)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var child: pid_t = 0
    let file = path.map { CChar(bitPattern: $0) } + [0]
    let failure = words.withArguments { posix_spawn(&child, file, &actions, &attributes, $0, environ) }
    return failure == 0 ? .started(child) : .refused(failure)
  }

  private func text(_ name: [UInt8]) -> String {
    name.isEmpty ? "''" : String(decoding: name, as: UTF8.self)
  }
}
