import Foundation

/// What this process was started with, before anything of ours changed it: a command under `record` gets the same.
struct ProcessStart: Sendable {
  /// Touched first in `main`, while there is one thread.
  static let state = ProcessStart()

  /// Standard streams that were closed; each is occupied now, so that no file of a store is opened in its place.
  let closedStreams: Set<Int32>
  /// Of the signals that `record` handles, those that were ignored already, as by `nohup`.
  let ignoredSignals: Set<Int32>
  let signalMask: sigset_t

  private init() {
    var closed: Set<Int32> = []
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) == -1 {
      // Opened the wrong way round: reading and writing fail as they do on a closed descriptor.
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
