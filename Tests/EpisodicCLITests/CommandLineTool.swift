import Foundation
import TestSupport
import Testing

/// The built `episodic` on a store of its own.
struct CommandLineTool {
  struct Result: CustomStringConvertible {
    let status: Int32
    let output: String
    let errors: String

    var description: String { "status \(status)\noutput: \(output)\nerrors: \(errors)" }

    /// Standard output as JSON.
    var json: [String: Any]? { try? JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any] }
  }

  private let directory: TemporaryDirectory
  var store: String { directory.file("store") }

  init() throws { directory = try TemporaryDirectory() }

  /// Runs it to its end, with the store in the environment.
  @discardableResult
  func callAsFunction(_ arguments: String..., input: String = "") throws -> Result {
    try run(arguments, input: input)
  }

  @discardableResult
  func run(_ arguments: [String], input: String = "") throws -> Result {
    try run(Child.products.appending(path: "episodic"), arguments, input: input)
  }

  /// Runs a shell in which `episodic` is the built one.
  func shell(_ script: String, input: String = "") throws -> Result {
    try run(URL(filePath: "/bin/sh"), ["-c", script], input: input)
  }

  /// Records a command as the episode of a task.
  @discardableResult
  func record(_ arguments: [String], input: String = "") throws -> Result {
    try run(["record", "--task", "testing", "--domain", "web"] + arguments, input: input)
  }

  /// The step named in the last line of a recording with --json.
  func lastStep(_ result: Result) throws -> [String: Any] {
    // Output without a line end is followed by the report on the same line.
    let report = try #require(
      result.output.range(of: "{\"duration_ms\"").map { result.output[$0.lowerBound...] }, "\(result)")
    let object = try #require(JSONSerialization.jsonObject(with: Data(report.utf8)) as? [String: Any], "\(result)")
    return try lastStep(of: try #require(object["id"] as? String))
  }

  /// The last step of an episode.
  func lastStep(of id: String) throws -> [String: Any] {
    let result = try self("show", id, "--json")
    return try #require((result.json?["steps"] as? [[String: Any]])?.last, "\(result)")
  }

  private func run(_ program: URL, _ arguments: [String], input: String) throws -> Result {
    var environment = ProcessInfo.processInfo.environment
    environment["EPISODIC_STORE"] = store
    environment["PATH"] = "\(Child.products.path(percentEncoded: false)):\(environment["PATH"] ?? "/usr/bin:/bin")"
    let child = try Child(
      running: "/bin/sh",
      ["-c", "cd \"$0\" && exec \"$@\"", directory.path, program.path(percentEncoded: false)] + arguments,
      input: input, environment: environment, in: directory)
    return Result(status: child.wait(), output: try child.standardOutput, errors: try child.standardError)
  }

  /// The path of a file in the directory.
  func path(_ name: String) -> String { directory.file(name) }

  /// Writes a file and returns its path.
  func file(_ name: String, _ text: String) throws -> String { try file(name, Data(text.utf8)) }

  func file(_ name: String, _ data: Data) throws -> String {
    let path = path(name)
    try data.write(to: URL(filePath: path))
    return path
  }

  /// The number of episodes in the store; 0 if there is no store.
  func count() throws -> Int {
    let result = try self("stats", "--json")
    guard let primary = result.json?["primary"] as? [String: Any], let episodes = primary["episodes"] as? [String: Int]
    else { return 0 }
    return episodes.values.reduce(0, +)
  }
}

/// A line of an import.
func line(
  _ id: String, domain: String = "web", context: String = "fix the login", status: String = "completed",
  result: String = "connection refused"
) -> String {
  """
  {"id":"\(id)","task_type":"debugging","domain":"\(domain)","context":"\(context)","status":"\(status)",\
  "created_at":"2026-01-31T12:00:00Z","metadata":{},"steps":[{"step_number":1,"action":"curl","result":"\(result)",\
  "timestamp":"2026-01-31T12:00:00Z"}]}\n
  """
}

/// Little-endian float32 numbers, one after the other.
func rows(_ numbers: [Float]) -> Data {
  numbers.reduce(into: Data()) { data, number in
    withUnsafeBytes(of: number.bitPattern.littleEndian) { data.append(contentsOf: $0) }
  }
}
