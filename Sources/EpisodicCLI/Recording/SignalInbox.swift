import Episodic
import Foundation

/// Signals delivered to this process, read from a descriptor that can be polled.
///
/// At most one instance exists, because handlers are per process. They stay installed until the process ends, so that a
/// signal during the commit does not prevent it.
struct SignalInbox {
  struct Signal: Equatable {
    let number: Int32
    /// The sending process; `nil` for the kernel: a terminal's signal, which every foreground process gets.
    let sender: pid_t?
  }

  /// Signals that end a program, passed on to the command.
  static let forwarded = [SIGINT, SIGQUIT, SIGTERM, SIGHUP]

  private let pipe: Pipe

  /// Starts to collect SIGCHLD, SIGWINCH, and those of the forwarded signals that were not ignored.
  ///
  /// - Throws: `.unavailable` if the process has no descriptors left.
  init() throws(MemoryError) {
    pipe = try Pipe()
    // A handler must not block on a full pipe, which holds thousands of signals.
    for end in [pipe.reading, pipe.writing] { end.setNonblocking(true) }
    inbox = pipe.writing.number
    // This process may have been started with them blocked; the command is started with the original mask.
    var taken = sigset_t()
    sigemptyset(&taken)
    for number in Self.forwarded + [SIGCHLD, SIGWINCH] { sigaddset(&taken, number) }
    pthread_sigmask(SIG_UNBLOCK, &taken, nil)
    for number in Self.forwarded + [SIGCHLD, SIGWINCH] where !ProcessStart.state.ignoredSignals.contains(number) {
      var action = sigaction()
      sigemptyset(&action.sa_mask)
      action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NOCLDSTOP
      #if os(Linux)
        action.__sigaction_handler.sa_sigaction = { deliver($0, $1, $2) }
      #else
        action.__sigaction_u.__sa_sigaction = { deliver($0, $1, $2) }
      #endif
      sigaction(number, &action, nil)
    }
  }

  /// Readable while there are signals.
  var descriptor: Int32 { pipe.reading.number }

  /// Removes the oldest signal; `nil` if there is none.
  func next() -> Signal? {
    var message = Message(number: 0, isSent: 0, sender: 0)
    let got = withUnsafeMutableBytes(of: &message) { read(pipe.reading.number, $0.baseAddress, $0.count) }
    guard got == MemoryLayout<Message>.size else { return nil }
    return Signal(number: message.number, sender: message.isSent == 0 ? nil : message.sender)
  }
}

private struct Message {
  let number: Int32
  let isSent: Int32
  let sender: pid_t
}

/// The descriptor that the handler writes to. Set once, before the handler is installed.
nonisolated(unsafe) private var inbox: Int32 = -1

/// The handler: async-signal-safe, one write to a pipe.
private func deliver(_ number: Int32, _ info: UnsafeMutablePointer<siginfo_t>?, _: UnsafeMutableRawPointer?) {
  let saved = errno
  #if os(Linux)
    // A sender in an outer PID namespace has the number 0; the code still tells that a process sent it.
    let isSent: Int32 = (info?.pointee.si_code ?? 0) <= 0 ? 1 : 0
    let sender = info?.pointee._sifields._kill.si_pid ?? 0
  #else
    let sender = info?.pointee.si_pid ?? 0
    let isSent: Int32 = sender == 0 ? 0 : 1
  #endif
  var message = Message(number: number, isSent: isSent, sender: sender)
  withUnsafeBytes(of: &message) { _ = write(inbox, $0.baseAddress, $0.count) }
  errno = saved
}
