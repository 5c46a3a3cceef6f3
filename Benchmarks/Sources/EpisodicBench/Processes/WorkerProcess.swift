import Foundation

/// A child process with pipes to its standard input and output: this program with a hidden subcommand, or another one.
final class WorkerProcess {
  let identifier: pid_t
  private let input: Int32
  private let output: Int32
  private var received: [UInt8] = []
  private var isOver = false

  /// Starts this program again.
  convenience init(_ arguments: [String]) throws {
    try self.init(BuiltProgram.bench, arguments)
  }

  /// Standard error is shared with ours.
  init(_ executable: String, _ arguments: [String]) throws {
    // A write to a worker that has ended returns EPIPE.
    signal(SIGPIPE, SIG_IGN)
    let input = try Self.pipe()
    let output = try Self.pipe()
    defer {
      close(input.reading)
      close(output.writing)
    }
    self.input = input.writing
    self.output = output.reading
    identifier = try Self.spawn(executable, arguments, input: input.reading, output: output.writing)
  }

  deinit {
    close(input)
    close(output)
  }

  // MARK: Communication

  /// Sends a line and waits for the reply; `nil` if the process has ended.
  func ask(_ line: String) throws -> String? {
    send(line) ? try readLine() : nil
  }

  /// - Returns: `false` if the process has closed its input.
  func send(_ line: String) -> Bool {
    var rest = Array((line + "\n").utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
      if written > 0 { rest = rest.dropFirst(written) } else if errno != EINTR { return false }
    }
    return true
  }

  /// The next line of its output; `nil` at the end.
  func readLine() throws -> String? {
    while true {
      if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
        defer { received.removeSubrange(...end) }
        return String(decoding: received[..<end], as: UTF8.self)
      }
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = read(output, &buffer, buffer.count)
      if count == 0 { return nil }
      if count > 0 {
        received += buffer[..<count]
      } else if errno != EINTR {
        throw BenchError("reading from a worker failed: \(String(cString: strerror(errno)))")
      }
    }
  }

  // MARK: Ending

  /// Sends SIGKILL and waits for the end.
  func kill() {
    guard !isOver else { return }
    _ = Foundation.kill(identifier, SIGKILL)
    _ = wait()
  }

  /// Waits for the end and returns the status of `waitpid`.
  func wait() -> Int32 {
    var status: Int32 = 0
    while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
    isOver = true
    return status
  }

  /// The status of `waitpid`; `nil` while it runs.
  func poll() -> Int32? {
    var status: Int32 = 0
    guard waitpid(identifier, &status, WNOHANG) == identifier else { return nil }
    isOver = true
    return status
  }

  // MARK: Starting

  /// A pipe that no other child inherits: a worker must get the end of its input when this process closes it.
  private static func pipe() throws -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    guard Foundation.pipe(&ends) == 0 else { throw BenchError("no pipe: \(String(cString: strerror(errno)))") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  /// Starts a program with descriptors of this process as its standard input and output.
  static func spawn(
    _ executable: String, _ arguments: [String], input: Int32, output: Int32
  ) throws -> pid_t {
    #if os(Linux)
      var actions = posix_spawn_file_actions_t()
    #else
      var actions: posix_spawn_file_actions_t?
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    var words: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) } + [nil]
    defer { words.forEach { free($0) } }
    var child: pid_t = 0
    let failure = posix_spawn(&child, executable, &actions, nil, &words, environ)
    guard failure == 0 else { throw BenchError("\(executable) does not start: \(String(cString: strerror(failure)))") }
    return child
  }
}

/// Unbuffered output for the replies of a worker.
enum StandardOutput {
  static func write(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }
}
