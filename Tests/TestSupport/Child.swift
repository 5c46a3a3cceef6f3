public import Foundation

/// A program of this package, run as a process of its own.
public final class Child: @unchecked Sendable {
  // Unchecked: Process is a class without an owner; a test uses its child from one task.
  private let process = Process()
  private let output: URL
  private let errors: URL

  /// Starts a product that was built beside the tests.
  public init(_ product: String, _ arguments: [String], in directory: TemporaryDirectory) throws {
    output = URL(filePath: directory.file("child-\(UUID().uuidString).out"))
    errors = output.appendingPathExtension("err")
    for file in [output, errors] { try Data().write(to: file) }
    process.executableURL = Self.products.appending(path: product)
    process.arguments = arguments
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    process.standardInput = FileHandle.nullDevice
    try process.run()
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
    _ = Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Waits for the end.
  ///
  /// - Returns: The exit status.
  public func wait() -> Int32 {
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// The whole lines it has printed.
  public var lines: [String] {
    get throws {
      let text = String(decoding: try Data(contentsOf: output), as: UTF8.self)
      return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
  }

  public var standardError: String {
    get throws { String(decoding: try Data(contentsOf: errors), as: UTF8.self) }
  }
}
