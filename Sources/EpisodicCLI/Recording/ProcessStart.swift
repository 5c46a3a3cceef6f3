import Episodic
import Foundation

/// Standard streams and signals as this process was started with them, for a command under `record` to start with.
struct ProcessStart: Sendable {
  /// Read first in `main`, while there is one thread.
  static let state = ProcessStart()

  /// Standard streams that were closed. Each is opened to /dev/null, so that no file of a store gets its number.
  let closedStreams: Set<Int32>
  /// Those of the signals that `record` handles that were ignored, as by `nohup`.
  let ignoredSignals: Set<Int32>
  let signalMask: sigset_t

  private init() {
    var closed: Set<Int32> = []
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) == -1 {
      // In the opposite mode: reading or writing fails as on a closed descriptor.
      let placeholder = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
      guard placeholder == descriptor else { exit(3) }
      closed.insert(descriptor)
    }
    closedStreams = closed
    ignoredSignals = Set((SignalInbox.forwarded + [SIGPIPE]).filter(Self.isIgnored))
    var mask = sigset_t()
    sigemptyset(&mask)
    pthread_sigmask(SIG_BLOCK, nil, &mask)
    signalMask = mask
  }

  private static func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(signal, nil, &action) == 0 else { return false }
    #if os(Linux)
      let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
    #else
      let handler = unsafeBitCast(action.__sigaction_u.__sa_handler, to: Int.self)
    #endif
    return handler == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}

/// Checks that the process may open as many files as a command needs.
///
/// With fewer, libdispatch ends the process, or opening the store fails with a misleading reason.
enum DescriptorLimit {
  /// For the primary, its log and locks, a read connection, an input or output file, and libdispatch. Cache and index are
  /// not counted: without descriptors for them the store works without them.
  private static let needed = 16

  /// - Throws: `.unavailable`, naming the limit.
  static func require() throws(MemoryError) {
    var opened: [Int32] = []
    defer { for descriptor in opened { close(descriptor) } }
    while opened.count < needed {
      let descriptor = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
      guard descriptor < 0 else {
        opened.append(descriptor)
        continue
      }
      guard errno == EMFILE || errno == EINVAL else { return }  // Opening the store reports other errors.
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      throw MemoryError(
        .unavailable,
        "the process may open \(limit.rlim_cur) files and has room for \(opened.count) more, of \(needed) that the command "
          + "needs; raise the limit (ulimit -n)")
    }
  }
}
