import Foundation
import ProcessSpawning

/// A process that reads and discards what programs left in the background by a recorded command still print.
///
/// Without a reader those programs would die of SIGPIPE after the command has ended. It is this executable under another
/// name, in its own process group, and exits when the last of those programs closes its output.
enum OutputDrain {
  /// The zeroth argument that selects this mode; a user's arguments cannot contain it.
  private static let name = "episodic-drain"

  /// Starts the process with copies of the reading ends.
  static func start(reading ends: [FileDescriptor]) {
    guard !ends.isEmpty else { return }
    #if os(Linux)
      let program = "/proc/self/exe"
    #else
      let program = Bundle.main.executablePath ?? CommandLine.arguments[0]
    #endif
    var spawn = Spawn()
    spawn.useNewProcessGroup()
    // Neither the terminal nor the caller's files: a caller that waits for their end must not wait for the background.
    for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] { spawn.open("/dev/null", O_RDWR, as: stream) }
    // Above every descriptor in use, so that no copy replaces one that is still to be copied.
    let first = (ends.map(\.number).max() ?? STDERR_FILENO) + 1
    for (index, end) in ends.enumerated() {
      end.setNonblocking(false)
      spawn.duplicate(end.number, as: first + Int32(index))
    }
    do throws(Spawn.Failure) {
      _ = try spawn.start(Array(program.utf8), [name, "\(first)", "\(ends.count)"].map { Array($0.utf8) })
    } catch {
      StandardError.write("episodic: the output of programs left in the background has no reader: \(error)")
    }
  }

  /// Reads to the end and exits, if this process was started by `start`.
  static func runIfRequested() {
    let arguments = CommandLine.arguments
    guard arguments.count == 3, arguments[0] == name, let first = Int32(arguments[1]), let count = Int32(arguments[2])
    else { return }
    // Closes the descriptors that this process inherited.
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
