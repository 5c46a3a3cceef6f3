public import Foundation
import Synchronization

/// A program that runs as a process of its own, started as a shell would start it.
///
/// Not `Foundation.Process`: that starts a program with the signals blocked that are blocked in the thread of the test,
/// waits for what it leaves running in the background, and crashes on Linux where more than about 1,300 files are open.
public final class Child: Sendable {
  private let number: pid_t
  /// As `waitpid` gave it; `nil` before the end.
  private let status = Mutex<Int32?>(nil)
  private let output: String
  private let errors: String

  /// Starts a product that was built beside the tests.
  public convenience init(_ product: String, _ arguments: [String], in directory: TemporaryDirectory) throws {
    let program = Self.products.appending(path: product).path(percentEncoded: false)
    try self.init(running: program, arguments, in: directory)
  }

  /// - Parameter directory: Keeps what it reads and prints. Files, not pipes: a pipe that nobody reads while the child
  ///   runs would fill and stop it.
  public init(
    running program: String, _ arguments: [String], input: String = "",
    environment: [String: String] = ProcessInfo.processInfo.environment, in directory: TemporaryDirectory
  ) throws {
    let file = directory.file("child-\(UUID().uuidString)")
    (output, errors) = (file + ".out", file + ".err")
    try Data(input.utf8).write(to: URL(filePath: file + ".in"))
    for path in [output, errors] { try Data().write(to: URL(filePath: path)) }
    number = try Self.spawn(
      [program] + arguments, environment.map { "\($0)=\($1)" }, streams: [file + ".in", output, errors])
  }

  /// Where the build puts programs: the folder of the test bundle.
  public static let products: URL = {
    let test = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    #if os(macOS)
      return Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL.deletingLastPathComponent()
        ?? test
    #else
      return test.deletingLastPathComponent()
    #endif
  }()

  /// SIGKILL: no handler, no flush, no goodbye.
  public func kill() {
    _ = Foundation.kill(number, SIGKILL)
    _ = wait()
  }

  /// Whether it has ended.
  public var isOver: Bool {
    status.withLock { known in
      var status: Int32 = 0
      if known == nil, waitpid(number, &status, WNOHANG) == number { known = status }
      return known != nil
    }
  }

  /// Waits for the end.
  ///
  /// - Returns: The exit status; 128 and the signal for one that was killed, as a shell gives it.
  @discardableResult
  public func wait() -> Int32 {
    let status = status.withLock { known in
      var status = known ?? 0
      while known == nil {
        if waitpid(number, &status, 0) == number {
          known = status
        } else if errno != EINTR {
          // Somebody else took it: 127, as for a program that could not be run.
          known = 127 << 8
        }
      }
      return known ?? status
    }
    return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
  }

  /// The whole lines it has printed.
  public var lines: [String] {
    get throws {
      try standardOutput.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
  }

  public var standardOutput: String {
    get throws { String(decoding: try Data(contentsOf: URL(filePath: output)), as: UTF8.self) }
  }

  public var standardError: String {
    get throws { String(decoding: try Data(contentsOf: URL(filePath: errors)), as: UTF8.self) }
  }

  private static func spawn(_ words: [String], _ environment: [String], streams: [String]) throws -> pid_t {
    #if os(Linux)
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #else
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    for (number, path) in streams.enumerated() {
      posix_spawn_file_actions_addopen(&actions, Int32(number), path, number == 0 ? O_RDONLY : O_WRONLY, 0)
    }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let arguments = words.map { strdup($0) } + [nil]
    let variables = environment.map { strdup($0) } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var child: pid_t = 0
    let failure = posix_spawn(&child, words[0], &actions, &attributes, arguments, variables)
    guard failure == 0 else { throw CannotStart(program: words[0], reason: String(cString: strerror(failure))) }
    return child
  }

  public struct CannotStart: Error {
    public let program: String
    public let reason: String
  }
}
