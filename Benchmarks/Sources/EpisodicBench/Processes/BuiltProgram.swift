import Foundation

/// Programs that are built together.
enum BuiltProgram {
  /// The path of this one.
  static var bench: String {
    get throws {
      guard let path = Bundle.main.executablePath else { throw BenchError("the path of this program is unknown") }
      return path
    }
  }

  /// The path of `episodic`, which is built beside this program.
  ///
  /// - Parameter given: Of the option `--episodic`.
  static func episodic(_ given: String?) throws -> String {
    let path = try given ?? URL(filePath: bench).deletingLastPathComponent().appending(path: "episodic").path
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw BenchError("\(path) is not a program; name the command with --episodic PATH")
    }
    return path
  }
}
