import EpisodicMemory
import Foundation
import TestSupport
import Testing

/// The clients of the Model Context Protocol for Python.
enum PythonClient {
  /// A Python that has the client `mcp` of a major version.
  static func path(_ variable: String, _ major: Int) -> String? {
    let python = ProcessInfo.processInfo.environment[variable] ?? "python3"
    let script = "import importlib.metadata as m, sys; sys.exit(int(m.version('mcp').split('.')[0]) != \(major))"
    guard let directory = try? TemporaryDirectory(),
      let child = try? Child(running: "/usr/bin/env", [python, "-c", script], in: directory)
    else { return nil }
    return child.wait() == 0 ? python : nil
  }

  /// Has a client use every tool, and expects what it finds.
  ///
  /// - Parameter place: The program, or the address of a server of HTTP.
  /// - Parameter detail: The store, or the file of the token.
  static func converse(_ python: String, _ mode: String, _ place: String, _ detail: String) throws {
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "mcp_client.py")
    let directory = try TemporaryDirectory()
    // It has the files of the child.
    defer { withExtendedLifetime(directory) {} }
    let child = try Child(
      running: "/usr/bin/env", [python, script.path(percentEncoded: false), mode, place, detail], in: directory)
    let status = child.wait()
    let (output, errors) = (try child.standardOutput, try child.standardError)
    try #require(status == 0, "\(output) \(errors)")
    let found = try JSON(text: output.trimmingCharacters(in: .newlines))
    #expect(found["tools"] == ["recall", "show", "record", "feedback", "forget"], "\(found)")
    #expect(found["recorded"] == "a" && found["recalled"] == ["a"], "\(found)")
    for member in ["refused", "resource", "prompt", "forgotten", "progress"] {
      #expect(found[member] == true, "\(member): \(found)")
    }
  }
}
