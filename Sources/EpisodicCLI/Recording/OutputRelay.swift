import CArrivalOrder
import Episodic
import Foundation

/// Passes what a command prints on to our own standard streams, keeps it, and passes signals on to the command, until it
/// has ended. One thread, which waits for all of them at once: a slow reader delays no signal.
///
/// Where standard output and error lead to one place, one pipe takes both, in their order. Where they lead to two, there
/// are two pipes, and the order is that of their writes on Linux, that of their reading elsewhere.
struct OutputRelay {
  /// How long what is left in the background may still print after the command has ended: until it is silent for the
  /// one, and the other at most.
  private static let silence = Duration.milliseconds(200)
  private static let patience = Duration.seconds(2)
  /// What polls as writable takes so many bytes without making us wait: a pipe `PIPE_BUF`.
  #if os(Linux)
    private static let atomicBytes = 4096
  #else
    private static let atomicBytes = 512
  #endif
  private static let bufferBytes = 1 << 16

  private struct Stream {
    let pipe: Pipe
    let target: Int32
    /// Whether writing to the target never waits long, as to a file.
    let isFile: Bool
    /// Whether the target can tell that its reader has gone away before it is written to.
    let isPipe: Bool
    var isOpen = true
    var buffer = [UInt8](repeating: 0, count: OutputRelay.bufferBytes)
    /// Of the buffer, what was read and not written yet.
    var pending = 0..<0
    /// Of what the command itself has printed, the bytes that have not been read; known when it has ended.
    var unread = 0

    var isSettled: Bool { pending.isEmpty && (!isOpen || unread <= 0) }
  }

  struct End {
    let status: Int32
    let time: ContinuousClock.Instant
  }

  private var streams: [Stream]
  /// Descriptors of ours that are the command's streams.
  let childStreams: [(ours: Int32, its: Int32)]
  /// The queue of events of two pipes; `nil` where there is one pipe, or no such queue.
  private var order: FileDescriptor?
  /// Streams with something to read, in order.
  private var readable: [(stream: Int, hasEnded: Bool)] = []
  private let signals: SignalInbox

  private(set) var output: OutputCapture
  /// The first failure to write, other than that nobody reads.
  private(set) var failure: (stream: Int32, number: Int32)?

  /// - Throws: `.unavailable` where the process has no descriptors left.
  init(signals: SignalInbox, keeping limit: Int) throws(MemoryError) {
    self.signals = signals
    output = OutputCapture(limit: limit)
    let targets = [STDOUT_FILENO, STDERR_FILENO].filter { !ProcessStart.state.closedStreams.contains($0) }
    let isShared = targets.count == 2 && Self.leadToOnePlace()
    streams = []
    for target in isShared ? [STDOUT_FILENO] : targets {
      let kind = Self.status(target).map { $0.st_mode & S_IFMT }
      let pipe = try Pipe()
      pipe.setNonblocking([pipe.reading])
      streams.append(
        Stream(
          pipe: pipe, target: target, isFile: kind == S_IFREG || kind == S_IFBLK, isPipe: kind == S_IFIFO))
    }
    let pipes = streams.map(\.pipe)
    childStreams = targets.indices.map { (pipes[isShared ? 0 : $0].writing, targets[$0]) }
    if pipes.count == 2 {
      let descriptor = arrival_order_open(pipes.map(\.reading), pipes.map(\.writing))
      if descriptor >= 0 { order = FileDescriptor(descriptor) }
    }
  }

  /// Passes everything through until the command has ended and what it printed is written.
  ///
  /// What it left in the background goes on with a reader that throws away what it prints.
  mutating func run(_ child: pid_t) -> End {
    for stream in streams { stream.pipe.closeWriting() }
    var end: End?
    var deadline: (silent: ContinuousClock.Instant, last: ContinuousClock.Instant)?
    while true {
      if let end {
        if streams.allSatisfy({ !$0.isOpen && $0.pending.isEmpty }) { return end }
        if deadline == nil, streams.allSatisfy(\.isSettled) { deadline = (.now + Self.silence, .now + Self.patience) }
        if let deadline, ContinuousClock.now >= min(deadline.silent, deadline.last) {
          OutputDrain.start(reading: streams.filter(\.isOpen).map(\.pipe))
          return end
        }
      }
      wait(until: deadline.map { min($0.silent, $0.last) })
      for signal in taken(signals) {
        if signal.number == SIGCHLD {
          if end == nil, let status = Self.reap(child) {
            end = End(status: status, time: .now)
            countUnread()
          }
        } else if end == nil, let sender = signal.sender, sender != child {
          // Not what the terminal sent to the command as well, nor what the command itself sends to its group.
          kill(child, signal.number)
        }
      }
      for index in streams.indices { write(index) }
      if read() { deadline?.silent = .now + Self.silence }
    }
  }

  // MARK: Waiting

  private mutating func wait(until deadline: ContinuousClock.Instant?) {
    var polled = [pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0)]
    var kinds: [(stream: Int, isTarget: Bool)?] = [nil]
    for (index, stream) in streams.enumerated() {
      if !stream.pending.isEmpty {
        polled.append(pollfd(fd: stream.target, events: Int16(POLLOUT), revents: 0))
        kinds.append((index, true))
      } else if stream.isOpen {
        if order == nil {
          polled.append(pollfd(fd: stream.pipe.reading, events: Int16(POLLIN), revents: 0))
          kinds.append((index, false))
        }
        if stream.isPipe {
          polled.append(pollfd(fd: stream.target, events: 0, revents: 0))
          kinds.append((index, true))
        }
      }
    }
    if let order {
      polled.append(pollfd(fd: order.number, events: Int16(POLLIN), revents: 0))
      kinds.append(nil)
    }
    let canRead = readable.contains { streams[$0.stream].pending.isEmpty }
    let milliseconds = deadline.map { max(0, ContinuousClock.now.duration(to: $0).milliseconds + 1) }
    // SIGCHLD wakes it too: its handler writes to the inbox.
    guard poll(&polled, nfds_t(polled.count), canRead ? 0 : Int32(clamping: milliseconds ?? -1)) > 0 else { return }
    for (entry, kind) in zip(polled, kinds) where entry.revents != 0 {
      guard let kind else { continue }
      if !kind.isTarget {
        guard !readable.contains(where: { $0.stream == kind.stream }) else { continue }
        readable.append((kind.stream, entry.revents & Int16(POLLIN) == 0))
      } else if streams[kind.stream].pending.isEmpty, entry.revents & Int16(POLLERR) != 0 {
        close(kind.stream)
      } else {
        writable.insert(kind.stream)
      }
    }
    var arrival = arrival_t()
    while let order, arrival_order_next(order.number, &arrival) {
      readable.append((Int(arrival.pipe), arrival.has_ended))
    }
  }

  /// Streams whose targets can be written to.
  private var writable: Set<Int> = []

  private func taken(_ signals: SignalInbox) -> [SignalInbox.Signal] {
    var taken: [SignalInbox.Signal] = []
    while let signal = signals.next() { taken.append(signal) }
    return taken
  }

  /// The status of the command as `waitpid` gives it; `nil` while it runs. Its number stays its own until then.
  private static func reap(_ child: pid_t) -> Int32? {
    var status: Int32 = 0
    return waitpid(child, &status, WNOHANG) == child ? status : nil
  }

  // MARK: Reading and writing

  /// Reads once from the first stream that has something and whose target keeps up.
  private mutating func read() -> Bool {
    guard let first = readable.firstIndex(where: { streams[$0.stream].pending.isEmpty }) else { return false }
    let (index, hasEnded) = readable.remove(at: first)
    guard streams[index].isOpen else { return false }
    let descriptor = streams[index].pipe.reading
    let got = streams[index].buffer.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
    if got > 0 {
      output.append(streams[index].buffer[..<got])
      streams[index].unread -= got
      streams[index].pending = 0..<got
      // An event that says that no writer is left is the last one, whatever is still to be read.
      if hasEnded { readable.insert((index, true), at: first) }
      if streams[index].isFile { writable.insert(index) }
      write(index)
      return true
    }
    if got == 0 || errno != EAGAIN && errno != EINTR { close(index) }
    return false
  }

  /// Writes as much of what was read as the target takes without making us wait.
  private mutating func write(_ index: Int) {
    guard writable.remove(index) != nil else { return }
    let stream = streams[index]
    let piece = stream.isFile ? stream.buffer[stream.pending] : Self.piece(of: stream.buffer[stream.pending])
    let written = piece.withUnsafeBytes { Foundation.write(stream.target, $0.baseAddress, $0.count) }
    if written >= 0 {
      streams[index].pending = stream.pending.lowerBound + written..<stream.pending.upperBound
      if stream.isFile, !streams[index].pending.isEmpty { writable.insert(index) }
    } else if errno != EINTR, errno != EAGAIN {
      if errno != EPIPE, failure == nil { failure = (streams[index].target, errno) }
      streams[index].pending = 0..<0
      close(index)
    }
  }

  /// Whole lines if they fit, so that they are not torn where several programs write to one pipe.
  private static func piece(of pending: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let piece = pending.prefix(atomicBytes)
    guard piece.count < pending.count, let end = piece.lastIndex(of: UInt8(ascii: "\n")) else { return piece }
    return piece[...end]
  }

  /// Ends a stream: its writers find that nobody reads any more, as they would have without us.
  private mutating func close(_ index: Int) {
    streams[index].isOpen = false
    streams[index].pipe.closeReading()
  }

  private mutating func countUnread() {
    for index in streams.indices where streams[index].isOpen {
      var count: Int32 = 0
      if ioctl(streams[index].pipe.reading, UInt(FIONREAD), &count) == 0 { streams[index].unread = Int(count) }
    }
  }

  // MARK: Places

  /// Whether standard output and error are one file, pipe or terminal.
  private static func leadToOnePlace() -> Bool {
    guard let output = status(STDOUT_FILENO), let error = status(STDERR_FILENO) else { return false }
    return output.st_dev == error.st_dev && output.st_ino == error.st_ino
  }

  private static func status(_ descriptor: Int32) -> stat? {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? status : nil
  }
}

/// A descriptor that is closed with the value.
final class FileDescriptor: Sendable {
  let number: Int32
  init(_ number: Int32) { self.number = number }
  deinit { close(number) }
}
