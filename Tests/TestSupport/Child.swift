public import Foundation
import ProcessSpawning
import Synchronization

/// A program in a child process, started with no signals blocked, as a shell starts it.
public final class Child: Sendable {
  private let number: pid_t
  /// The status of `waitpid`; `nil` before the end.
  private let status = Mutex<Int32?>(nil)
  private let output: String
  private let errors: String

  /// Starts a product of the build of the tests.
  public convenience init(_ product: String, _ arguments: [String], in directory: TemporaryDirectory) throws {
    let program = Self.products.appending(path: product).path(percentEncoded: false)
    try self.init(running: program, arguments, in: directory)
  }

  /// - Parameter directory: Holds files for its standard streams. Not pipes: an unread pipe fills up and stops the child.
  public init(
    running program: String, _ arguments: [String], input: String = "",
    environment: [String: String] = ProcessInfo.processInfo.environment, in directory: TemporaryDirectory
  ) throws {
    let file = directory.file("child-\(UUID().uuidString)")
    (output, errors) = (file + ".out", file + ".err")
    try Data(input.utf8).write(to: URL(filePath: file + ".in"))
    for path in [output, errors] { try Data().write(to: URL(filePath: path)) }
    var spawn = Spawn()
    spawn.open(file + ".in", O_RDONLY, as: STDIN_FILENO)
    spawn.open(output, O_WRONLY, as: STDOUT_FILENO)
    spawn.open(errors, O_WRONLY, as: STDERR_FILENO)
    var none = sigset_t()
    sigemptyset(&none)
    spawn.block(none)
    do throws(Spawn.Failure) {
      number = try spawn.start(
        Array(program.utf8), ([program] + arguments).map { Array($0.utf8) },
        environment: environment.map { Array("\($0)=\($1)".utf8) })
    } catch {
      throw CannotStart(program: program, reason: "\(error)")
    }
  }

  /// The folder of the built programs, which is that of the test bundle.
  public static let products: URL = {
    let test = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    #if os(macOS)
      return Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL.deletingLastPathComponent()
        ?? test
    #else
      return test.deletingLastPathComponent()
    #endif
  }()

  /// The number of the process.
  public var process: Int32 { number }

  /// Sends SIGKILL and waits for the end.
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
          // Reaped elsewhere: 127, as for a program that could not be run.
          known = 127 << 8
        }
      }
      return known ?? status
    }
    return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
  }

  /// The complete lines it has printed.
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

  public struct CannotStart: Error {
    public let program: String
    public let reason: String
  }
}
