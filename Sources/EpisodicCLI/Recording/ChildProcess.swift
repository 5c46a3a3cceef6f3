import Episodic
import Foundation
import Synchronization

/// A command that runs under the eyes of the recorder: its output passes through to ours while the end of it is kept.
///
/// The child shares our terminal, process group and standard input, so Ctrl-C reaches it as it would without us; we
/// stay to record what came of it. SIGTERM and SIGHUP, which reach only us, are passed on.
struct ChildProcess {
  struct Outcome {
    enum Ending {
      case exited(Int32)
      case killed(signal: Int32)
    }

    let ending: Ending
    let output: OutputTail
    let duration: Duration

    var succeeded: Bool {
      if case .exited(0) = ending { true } else { false }
    }

    /// As a shell would give it: 128 and the signal for a command that was killed.
    var exitStatus: Int32 {
      switch ending {
      case .exited(let status): status
      case .killed(let signal): 128 + signal
      }
    }
  }

  /// After the command has ended, how long to wait for output of what it left running in the background.
  private static let graceMilliseconds: Int32 = 100

  private let words: [String]
  private let executable: String

  /// - Throws: `.invalid` where there is no such program.
  init(_ words: [String]) throws(MemoryError) {
    guard let name = words.first, !name.isEmpty else {
      throw MemoryError(.invalid, "no command to run; write it after --")
    }
    self.words = words
    executable = try Self.find(name)
  }

  /// The name of the program, without its directory.
  var program: String { executable.split(separator: "/").last.map(String.init) ?? executable }

  /// Runs the command to its end. Blocks the thread.
  ///
  /// - Throws: `.invalid` where it cannot be started.
  func run() throws(MemoryError) -> Outcome {
    // Whether or not anybody reads our output, the command runs on and is recorded.
    let changed = Signals.ignore([SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE])
    let streams = try (out: Pipe(), error: Pipe(), ended: Pipe())
    let begin = ContinuousClock.now
    let child = try spawn(restoring: changed, streams.out, streams.error)
    streams.out.closeWriting()
    streams.error.closeWriting()
    let forwarding = Signals.forward([SIGTERM, SIGHUP].filter(changed.contains), to: child)
    let wait = Wait(for: child, telling: streams.ended)
    let output = pass(streams.out, streams.error, until: streams.ended)
    let (ending, end) = wait.result()
    forwarding.forEach { $0.cancel() }
    return Outcome(ending: ending, output: output, duration: end - begin)
  }

  // MARK: Starting

  /// What a shell would run under that name.
  private static func find(_ name: String) throws(MemoryError) -> String {
    if name.contains("/") {
      guard isExecutable(name) else {
        throw MemoryError(.invalid, "cannot run \(name): it is no program; check the path and its permissions")
      }
      return name
    }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    for directory in path.split(separator: ":", omittingEmptySubsequences: false) {
      let candidate = directory.isEmpty ? "./\(name)" : "\(directory)/\(name)"
      if isExecutable(candidate) { return candidate }
    }
    throw MemoryError(.invalid, "cannot run \(name): there is no such program in PATH; check its name or give its path")
  }

  private static func isExecutable(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
  }

  private func spawn(restoring signals: [Int32], _ out: Pipe, _ error: Pipe) throws(MemoryError) -> pid_t {
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
    posix_spawn_file_actions_adddup2(&actions, out.writing, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, error.writing, STDERR_FILENO)
    // The child starts with the signals as we found them, not as we need them, and with none blocked: this thread may
    // be one of the library's, which block them all.
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for signal in signals { sigaddset(&defaults, signal) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    var blocked = sigset_t()
    sigemptyset(&blocked)
    posix_spawnattr_setsigmask(&attributes, &blocked)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    arguments.append(nil)
    defer { arguments.forEach { free($0) } }
    var child: pid_t = 0
    let failure = posix_spawn(&child, executable, &actions, &attributes, arguments, environ)
    guard failure == 0 else {
      throw MemoryError(
        .invalid, "cannot run \(executable): \(String(cString: strerror(failure))); check that it is a program")
    }
    return child
  }

  // MARK: Passing output through

  private func pass(_ out: Pipe, _ error: Pipe, until ended: Pipe) -> OutputTail {
    var tail = OutputTail()
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var polled = [
      pollfd(fd: out.reading, events: Int16(POLLIN), revents: 0),
      pollfd(fd: error.reading, events: Int16(POLLIN), revents: 0),
      pollfd(fd: ended.reading, events: Int16(POLLIN), revents: 0),
    ]
    let targets = [STDOUT_FILENO, STDERR_FILENO]
    var deadline: ContinuousClock.Instant?
    while polled[0].fd >= 0 || polled[1].fd >= 0 {
      let left = deadline.map { Int32(clamping: ContinuousClock.now.duration(to: $0).milliseconds) }
      if let left, left <= 0 { break }
      let ready = poll(&polled, nfds_t(polled.count), left ?? -1)
      if ready == 0 { break }
      if ready < 0 {
        if errno == EINTR { continue }
        break
      }
      for index in targets.indices where polled[index].revents != 0 {
        let got = read(polled[index].fd, &buffer, buffer.count)
        if got > 0 {
          tail.append(buffer[..<got])
          _ = writeBytes(Array(buffer[..<got]), to: targets[index])
        } else if got == 0 || errno != EINTR {
          polled[index].fd = -1
        }
      }
      if polled[2].revents != 0 {
        deadline = .now + .milliseconds(Int(Self.graceMilliseconds))
        polled[2].fd = -1
      }
    }
    return tail
  }
}

/// Waits for a child on a thread of its own and says so through a pipe, which can be polled along with its output.
private final class Wait: Sendable {
  private let found = Mutex<(status: Int32, at: ContinuousClock.Instant)?>(nil)
  private let done = DispatchSemaphore(value: 0)

  init(for child: pid_t, telling pipe: Pipe) {
    Thread.detachNewThread {
      var status: Int32 = 0
      while waitpid(child, &status, 0) < 0, errno == EINTR {}
      let result = (status: status, at: ContinuousClock.now)
      self.found.withLock { $0 = result }
      self.done.signal()
      pipe.closeWriting()
    }
  }

  func result() -> (ending: ChildProcess.Outcome.Ending, at: ContinuousClock.Instant) {
    done.wait()
    let (status, at) = found.withLock(\.self) ?? (0, .now)
    let signal = status & 0x7F
    return (signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal), at)
  }
}
