import CArrivalOrder
import Episodic
import Foundation

/// Relays a command's output to this process's standard streams while capturing it, and signals to the command, until the
/// command has ended. One thread polls all descriptors: a slow reader delays no signal.
///
/// If standard output and error are one file, pipe or terminal, one pipe carries both in order. If they are two, there are
/// two pipes, and the captured order is that of the writes on Linux, of the reads elsewhere.
struct OutputRelay {
  /// After the command has ended, output of programs in the background is read until none comes for this time,
  private static let silence = Duration.milliseconds(200)
  /// and for this time at most.
  private static let maximumLinger = Duration.seconds(2)
  /// Bytes that a pipe which polls as writable accepts without blocking: `PIPE_BUF`.
  #if os(Linux)
    private static let atomicBytes = 4096
  #else
    private static let atomicBytes = 512
  #endif
  private static let bufferBytes = 1 << 16

  private struct Stream {
    let pipe: Pipe
    let target: Int32
    /// Whether the target is a file or a block device, which is written without polling.
    let isFile: Bool
    /// Whether the target reports a closed reader to `poll` before a write.
    let isPipe: Bool
    var isOpen = true
    var buffer = [UInt8](repeating: 0, count: OutputRelay.bufferBytes)
    /// The part of the buffer that was read and not written yet.
    var pending = 0..<0
    /// Bytes that the command itself printed and that are not read yet; counted when it ends.
    var unread = 0

    var isSettled: Bool { pending.isEmpty && (!isOpen || unread <= 0) }
  }

  struct End {
    let status: Int32
    let time: ContinuousClock.Instant
  }

  private var streams: [Stream]
  /// Descriptors of this process that become the command's standard streams.
  let childStreams: [(ours: Int32, its: Int32)]
  /// The event queue of two pipes; `nil` with one pipe, or without Linux's epoll.
  private var order: FileDescriptor?
  /// Streams with bytes to read, in order.
  private var readable: [(stream: Int, hasEnded: Bool)] = []
  private let signals: SignalInbox

  private(set) var output: OutputCapture
  /// The first failed write, except for a closed reader.
  private(set) var failure: (stream: Int32, number: Int32)?

  /// - Throws: `.unavailable` if the process has no descriptors left.
  init(signals: SignalInbox, keeping limit: Int) throws(MemoryError) {
    self.signals = signals
    output = OutputCapture(limit: limit)
    let targets = [STDOUT_FILENO, STDERR_FILENO].filter { !ProcessStart.state.closedStreams.contains($0) }
    let isShared = targets.count == 2 && Self.standardStreamsAreOneFile()
    streams = []
    for target in isShared ? [STDOUT_FILENO] : targets {
      let kind = Self.status(target).map { $0.st_mode & S_IFMT }
      let pipe = try Pipe()
      pipe.reading.setNonblocking(true)
      streams.append(
        Stream(
          pipe: pipe, target: target, isFile: kind == S_IFREG || kind == S_IFBLK, isPipe: kind == S_IFIFO))
    }
    let pipes = streams.map(\.pipe)
    childStreams = targets.indices.map { (pipes[isShared ? 0 : $0].writing.number, targets[$0]) }
    if pipes.count == 2 {
      let descriptor = arrival_order_open(pipes.map(\.reading.number), pipes.map(\.writing.number))
      if descriptor >= 0 { order = FileDescriptor(descriptor) }
    }
  }

  /// Relays until the command has ended and its output is written.
  ///
  /// Programs it left in the background continue with a process that discards their output.
  mutating func run(_ child: pid_t) -> End {
    for stream in streams { stream.pipe.writing.close() }
    var end: End?
    var deadline: (silent: ContinuousClock.Instant, last: ContinuousClock.Instant)?
    while true {
      if let end {
        if streams.allSatisfy({ !$0.isOpen && $0.pending.isEmpty }) { return end }
        if deadline == nil, streams.allSatisfy(\.isSettled) {
          deadline = (.now + Self.silence, .now + Self.maximumLinger)
        }
        if let deadline, ContinuousClock.now >= min(deadline.silent, deadline.last) {
          OutputDrain.start(reading: streams.filter(\.isOpen).map(\.pipe.reading))
          return end
        }
      }
      wait(until: deadline.map { min($0.silent, $0.last) })
      while let signal = signals.next() {
        if signal.number == SIGCHLD {
          if end == nil, let status = Self.reap(child) {
            end = End(status: status, time: .now)
            countUnread()
          }
        } else if signal.number == SIGWINCH {
          // The command gets it from the terminal too.
        } else if end == nil, let sender = signal.sender, sender != child {
          // Not a terminal's signal, which the command gets too, nor the command's own to its process group.
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
          polled.append(pollfd(fd: stream.pipe.reading.number, events: Int16(POLLIN), revents: 0))
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
    // SIGCHLD ends the wait: its handler writes to the inbox.
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

  /// The command's status of `waitpid`; `nil` while it runs. Its process id is not reused before.
  static func reap(_ child: pid_t) -> Int32? {
    var status: Int32 = 0
    return waitpid(child, &status, WNOHANG) == child ? status : nil
  }

  // MARK: Reading and writing

  /// Reads once from the first stream with bytes to read and none to write.
  private mutating func read() -> Bool {
    guard let first = readable.firstIndex(where: { streams[$0.stream].pending.isEmpty }) else { return false }
    let (index, hasEnded) = readable.remove(at: first)
    guard streams[index].isOpen else { return false }
    let descriptor = streams[index].pipe.reading.number
    let got = streams[index].buffer.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
    if got > 0 {
      output.append(streams[index].buffer[..<got])
      streams[index].unread -= got
      streams[index].pending = 0..<got
      // The event of the last writer's close is the last one, even if bytes are still to be read.
      if hasEnded { readable.insert((index, true), at: first) }
      if streams[index].isFile { writable.insert(index) }
      write(index)
      return true
    }
    if got == 0 || errno != EAGAIN && errno != EINTR { close(index) }
    return false
  }

  /// Writes as much as the target accepts without blocking.
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

  /// Whole lines if they fit, so that lines of several programs writing to one pipe are not mixed.
  private static func piece(of pending: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let piece = pending.prefix(atomicBytes)
    guard piece.count < pending.count, let end = piece.lastIndex(of: UInt8(ascii: "\n")) else { return piece }
    return piece[...end]
  }

  /// Closes a stream: its writers get EPIPE, as they would without `record`.
  private mutating func close(_ index: Int) {
    streams[index].isOpen = false
    streams[index].pipe.reading.close()
  }

  private mutating func countUnread() {
    for index in streams.indices where streams[index].isOpen {
      var count: Int32 = 0
      if ioctl(streams[index].pipe.reading.number, UInt(FIONREAD), &count) == 0 { streams[index].unread = Int(count) }
    }
  }

  // MARK: Targets

  /// Whether standard output and error are one file, pipe or terminal.
  private static func standardStreamsAreOneFile() -> Bool {
    guard let output = status(STDOUT_FILENO), let error = status(STDERR_FILENO) else { return false }
    return output.st_dev == error.st_dev && output.st_ino == error.st_ino
  }

  private static func status(_ descriptor: Int32) -> stat? {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? status : nil
  }
}
