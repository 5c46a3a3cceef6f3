import Foundation

/// A process that reads what the background of a recorded command still prints, and throws it away.
///
/// Without a reader those programs would die of SIGPIPE after the command has ended. It is this program under another
/// name, in a process group of its own, and ends when the last of them closes its output.
enum OutputDrain {
  /// What this program is called when it is to do this; no argument of a user can be taken for it.
  private static let name = "episodic-drain"

  /// Hands the reading ends over.
  static func start(reading pipes: [Pipe]) {
    guard !pipes.isEmpty else { return }
    #if os(Linux)
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
      let program = "/proc/self/exe"
    #else
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
      let program = Bundle.main.executablePath ?? CommandLine.arguments[0]
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    // Not the terminal nor the caller's files: whoever waits for their end is not to wait for the background.
    for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0)
    }
    // Behind every descriptor in use, so that none is closed by the copy of another.
    let first = (pipes.map(\.reading).max() ?? STDERR_FILENO) + 1
    for (index, pipe) in pipes.enumerated() {
      pipe.setNonblocking([pipe.reading], false)
      posix_spawn_file_actions_adddup2(&actions, pipe.reading, first + Int32(index))
    }
    let words: [String] = [name, "\(first)", "\(pipes.count)"]
    let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var drain: pid_t = 0
    let failure = posix_spawn(&drain, program, &actions, &attributes, arguments, environ)
    if failure != 0 {
      StandardError.write(
        "episodic: nobody reads what the command left in the background: \(String(cString: strerror(failure)))")
    }
  }

  /// Does so to the end if this process was started for it.
  static func runIfAsked() {
    let arguments = CommandLine.arguments
    guard arguments.count == 3, arguments[0] == name, let first = Int32(arguments[1]), let count = Int32(arguments[2])
    else { return }
    // What this process inherited is not its own to keep open.
    for descriptor in 3..<max(first, 3) { close(descriptor) }
    for descriptor in first + count..<first + count + 1024 { close(descriptor) }
    _ = chdir("/")
    var polled = (0..<count).map { pollfd(fd: first + $0, events: Int16(POLLIN), revents: 0) }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while polled.contains(where: { $0.fd >= 0 }) {
      guard poll(&polled, nfds_t(polled.count), -1) > 0 else { continue }
      for index in polled.indices where polled[index].revents != 0 {
        let got = read(polled[index].fd, &buffer, buffer.count)
        if got == 0 || got < 0 && errno != EINTR {
          close(polled[index].fd)
          polled[index].fd = -1
        }
      }
    }
    exit(0)
  }
}
