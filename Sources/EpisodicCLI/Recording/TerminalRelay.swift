import Episodic
import Foundation

/// Relays between this process's standard streams and the pseudo-terminal of a command, until the command has ended, while
/// capturing its output.
struct TerminalRelay {
  /// After the command has ended, output of programs in the background is read until none comes for this time,
  private static let silence = Duration.milliseconds(200)
  /// and for this time at most.
  private static let maximumLinger = Duration.seconds(2)

  let terminal: PseudoTerminal
  private let signals: SignalInbox
  private(set) var output: OutputCapture
  /// The first failed write, except for a closed reader.
  private(set) var failure: (stream: Int32, number: Int32)?
  private var filter = TerminalOutputFilter()
  /// What was read from standard input and is not typed yet.
  private var typed: [UInt8] = []
  private var readsInput: Bool
  private var writesOutput: Bool

  /// - Throws: `.unavailable` if the system has no pseudo-terminals left.
  init(signals: SignalInbox, keeping limit: Int) throws(MemoryError) {
    self.signals = signals
    terminal = try PseudoTerminal()
    output = OutputCapture(limit: limit)
    readsInput = !ProcessStart.state.closedStreams.contains(STDIN_FILENO)
    writesOutput = !ProcessStart.state.closedStreams.contains(STDOUT_FILENO)
  }

  mutating func run(_ child: pid_t) -> OutputRelay.End {
    // Restored at every way out; signals that would end this process come through the inbox.
    let mode = TerminalMode()
    defer { mode?.restore() }
    let main = terminal.main
    main.setNonblocking(true)
    var end: OutputRelay.End?
    var isOpen = true
    var quiet = ContinuousClock.now
    while true {
      if let end, !isOpen || ContinuousClock.now >= min(quiet + Self.silence, end.time + Self.maximumLinger) {
        return end
      }
      let ready = wait(isOpen: isOpen, milliseconds: end == nil ? -1 : 20)
      while let signal = signals.next() {
        switch signal.number {
        case SIGCHLD:
          if end == nil, let status = OutputRelay.reap(child) {
            end = OutputRelay.End(status: status, time: .now)
            quiet = .now
          }
        case SIGWINCH: terminal.copySize()
        default: if end == nil, signal.sender != child { kill(child, signal.number) }
        }
      }
      if ready.output {
        if readOutput() { quiet = .now } else if !hasOutput { isOpen = false }
      }
      if ready.input { readInput() }
      if !typed.isEmpty { type() }
    }
  }

  /// Whether the last read found nothing yet, as opposed to the end.
  private var hasOutput = true

  private mutating func wait(isOpen: Bool, milliseconds: Int32) -> (output: Bool, input: Bool) {
    var polled = [pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0)]
    let events = Int16(POLLIN) | (typed.isEmpty ? 0 : Int16(POLLOUT))
    polled.append(pollfd(fd: isOpen ? terminal.main.number : -1, events: events, revents: 0))
    // What is typed waits while the command does not read.
    let takesInput = readsInput && typed.isEmpty && isOpen
    polled.append(pollfd(fd: takesInput ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0))
    guard poll(&polled, nfds_t(polled.count), milliseconds) > 0 else { return (false, false) }
    return (polled[1].revents & ~Int16(POLLOUT) != 0, polled[2].revents != 0)
  }

  /// - Returns: Whether there was some.
  private mutating func readOutput() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let got = buffer.withUnsafeMutableBytes { read(terminal.main.number, $0.baseAddress, $0.count) }
    guard got > 0 else {
      // EIO: the last program that had the other end has closed it.
      hasOutput = got < 0 && (errno == EAGAIN || errno == EINTR)
      return false
    }
    let bytes = Array(buffer[..<got])
    output.append(filter.text(of: bytes)[...])
    if writesOutput, !writeBytes(bytes, to: STDOUT_FILENO) {
      writesOutput = false
      if errno != EPIPE { failure = (STDOUT_FILENO, errno) }
    }
    return true
  }

  private mutating func readInput() {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let got = buffer.withUnsafeMutableBytes { read(STDIN_FILENO, $0.baseAddress, $0.count) }
    if got > 0 {
      typed += buffer[..<got]
    } else if got == 0 || errno != EINTR && errno != EAGAIN {
      // The end of a file is typed as a person would: Control-D at the beginning of a line.
      readsInput = false
      typed.append(TerminalMode.current(of: terminal.main.number)?.endOfFile ?? 4)
    }
  }

  private mutating func type() {
    let written = typed.withUnsafeBytes { write(terminal.main.number, $0.baseAddress, $0.count) }
    if written > 0 {
      typed.removeFirst(written)
    } else if written < 0, errno != EAGAIN, errno != EINTR {
      typed = []
      readsInput = false
    }
  }
}

extension termios {
  /// The key that ends the input.
  fileprivate var endOfFile: UInt8 {
    withUnsafeBytes(of: c_cc) { $0[Int(VEOF)] }
  }
}

/// The text of what is printed on a terminal: without colours, cursor movements and titles, each line end as a newline.
struct TerminalOutputFilter {
  private enum State {
    case text, escape, control, string, stringEscape
  }

  private var state = State.text
  /// Whether a carriage return waits for what follows.
  private var hasReturn = false

  mutating func text(of bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count)
    for byte in bytes { read(byte, &text) }
    return text
  }

  private mutating func read(_ byte: UInt8, _ text: inout [UInt8]) {
    switch (state, byte) {
    case (.text, 0x1B): state = .escape
    case (.text, UInt8(ascii: "\r")): hasReturn = true
    case (.text, _):
      // Alone it begins the line again, as progress does: another line.
      if hasReturn, byte != UInt8(ascii: "\n") { text.append(UInt8(ascii: "\n")) }
      hasReturn = false
      if byte >= 0x20 && byte != 0x7F || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\t") { text.append(byte) }
    case (.escape, UInt8(ascii: "[")): state = .control
    case (.escape, UInt8(ascii: "]")), (.escape, UInt8(ascii: "P")), (.escape, UInt8(ascii: "_")): state = .string
    // Intermediate bytes, such as those of a change of the character set, are followed by one more.
    case (.escape, 0x20...0x2F): break
    case (.escape, _): state = .text
    case (.control, 0x40...0x7E): state = .text
    case (.control, _): break
    case (.string, 0x07): state = .text
    case (.string, 0x1B): state = .stringEscape
    case (.string, _): break
    case (.stringEscape, _): state = byte == UInt8(ascii: "\\") ? .text : .string
    }
  }
}
