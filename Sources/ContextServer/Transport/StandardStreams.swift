package import EpisodicMemory
import Foundation
import Synchronization

/// The lines of standard input and output.
///
/// While it runs, whatever else this process writes to standard output goes to standard error: the client reads nothing but
/// messages of the protocol.
package final class StandardStreams: Sendable {
  private let input: Int32
  private let output: Int32
  private let lock = Mutex(false)
  private let ended: AsyncStream<Void>
  private let end: AsyncStream<Void>.Continuation

  /// - Throws: `.unavailable` if a stream is closed, or no descriptor is left.
  package init() throws(MemoryError) {
    signal(SIGPIPE, SIG_IGN)
    input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
    output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
    guard input >= 0, output >= 0, dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 else {
      throw MemoryError(
        .unavailable, "cannot use standard input and output: \(String(cString: strerror(errno))); start it by a client")
    }
    (ended, end) = AsyncStream.makeStream()
  }

  /// Writes a message whole, on a line. If the client is gone, `run` returns.
  private func send(_ reply: Reply) {
    guard let message = reply.message else { return }
    lock.withLock { isGone in
      guard !isGone else { return }
      let bytes = Array((message.outputText + "\n").utf8)
      var done = 0
      while done < bytes.count {
        let written = bytes[done...].withUnsafeBytes { Foundation.write(output, $0.baseAddress, $0.count) }
        if written >= 0 {
          done += written
        } else if errno != EINTR {
          isGone = true
          end.finish()
          return
        }
      }
    }
  }

  /// Passes lines to the server until standard input ends, the client is gone, or a signal ends the process.
  ///
  /// - Returns: How long to wait for what is running: after the end of the input somebody may still read the answers.
  package func run(_ server: MCPServer) async -> Duration {
    let end = end
    let signals = EndSignals(patience: 5) { end.finish() }
    startReading(for: server)
    var hasEnded = false
    for await _ in ended { hasEnded = true }
    signals.stop()
    return hasEnded ? .seconds(30) : .seconds(2)
  }

  /// Reads on a thread of its own, since it waits for the client.
  private func startReading(for server: MCPServer) {
    let session = ClientSession()
    let reader = Thread { [self] in
      var lines = InputLines(descriptor: input, maximumBytes: MCPServer.maximumMessageBytes)
      while let line = lines.next() {
        switch line {
        case .whole(let bytes): server.receive(Message(bytes), from: session, send: send)
        case .tooLong: server.receive(.tooLong, from: session, send: send)
        }
      }
      end.yield()
      end.finish()
    }
    // A message may be nested 256 deep.
    reader.stackSize = 8 << 20
    reader.start()
  }
}

/// Lines of a descriptor, of bounded length.
struct InputLines {
  enum Line: Equatable {
    case whole([UInt8])
    /// Its bytes were skipped.
    case tooLong
  }

  private let descriptor: Int32
  private let maximumBytes: Int
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)
  private var unread = 0..<0
  private var line: [UInt8] = []
  private var isTooLong = false
  private var hasEnded = false

  init(descriptor: Int32, maximumBytes: Int) {
    self.descriptor = descriptor
    self.maximumBytes = maximumBytes
  }

  /// The next line without its end; the last one may lack it. `nil` after the end.
  mutating func next() -> Line? {
    while true {
      if let end = buffer[unread].firstIndex(of: UInt8(ascii: "\n")) {
        take(unread.lowerBound..<end)
        unread = (end + 1)..<unread.upperBound
        return finish()
      }
      take(unread)
      guard !hasEnded else { return nil }
      let got = buffer.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
      unread = 0..<max(0, got)
      if got > 0 || got < 0 && errno == EINTR { continue }
      hasEnded = true
      return line.isEmpty && !isTooLong ? nil : finish()
    }
  }

  private mutating func take(_ range: Range<Int>) {
    guard !isTooLong else { return }
    if line.count + range.count > maximumBytes {
      isTooLong = true
      line = []
    } else {
      line += buffer[range]
    }
  }

  private mutating func finish() -> Line {
    defer { (line, isTooLong) = ([], false) }
    return isTooLong ? .tooLong : .whole(line)
  }
}
