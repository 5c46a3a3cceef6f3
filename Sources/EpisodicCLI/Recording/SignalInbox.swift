import Episodic
import Foundation

/// Signals that reached this process, readable from a descriptor that can be polled along with others.
///
/// There is one: handlers belong to the whole process. They stay until its end, so that a signal that comes while the
/// episode is stored does not keep it from being stored.
struct SignalInbox {
  struct Signal: Equatable {
    let number: Int32
    /// The process that sent it; `nil` for the kernel, which a terminal has send to every process in the foreground.
    let sender: pid_t?
  }

  /// Signals that end a program and that the command is to have.
  static let forwarded = [SIGINT, SIGQUIT, SIGTERM, SIGHUP]

  private let pipe: Pipe

  /// Starts to collect the forwarded signals that were not ignored, and SIGCHLD.
  ///
  /// - Throws: `.unavailable` where the process has no descriptors left.
  init() throws(MemoryError) {
    pipe = try Pipe()
    // A full pipe must not stop a handler: then a thousand signals wait already.
    pipe.setNonblocking([pipe.reading, pipe.writing])
    inbox = pipe.writing
    // This process may have been started with them blocked; the command gets that back.
    var taken = sigset_t()
    sigemptyset(&taken)
    for number in Self.forwarded + [SIGCHLD] { sigaddset(&taken, number) }
    pthread_sigmask(SIG_UNBLOCK, &taken, nil)
    for number in Self.forwarded + [SIGCHLD] where !ProcessStart.state.ignoredSignals.contains(number) {
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
  var descriptor: Int32 { pipe.reading }

  /// The oldest signal that was not taken; `nil` if there is none.
  func next() -> Signal? {
    var message = Message(number: 0, isSent: 0, sender: 0)
    let got = withUnsafeMutableBytes(of: &message) { read(pipe.reading, $0.baseAddress, $0.count) }
    guard got == MemoryLayout<Message>.size else { return nil }
    return Signal(number: message.number, sender: message.isSent == 0 ? nil : message.sender)
  }
}

private struct Message {
  let number: Int32
  let isSent: Int32
  let sender: pid_t
}

/// Where the handler writes. Set before the handler is installed, and never again.
nonisolated(unsafe) private var inbox: Int32 = -1

/// The handler: only what a handler may do, one write to a pipe.
private func deliver(_ number: Int32, _ info: UnsafeMutablePointer<siginfo_t>?, _: UnsafeMutableRawPointer?) {
  let saved = errno
  #if os(Linux)
    // A sender in an outer namespace of processes has the number 0; the code still says that there is one.
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
