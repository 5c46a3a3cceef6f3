import Foundation
import Testing

/// The shell scripts of DocC pages, run with the built command.
///
/// `UPDATE_TRANSCRIPTS=1 swift test --filter ShellScriptTests` writes what they print into the pages.
@Suite struct `The shell scripts of the documentation` {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Sources/Episodic/Episodic.docc").standardized

  @Test(arguments: ["ShellScript.md", "Backups.md"]) func `each block prints what the page shows below it`(
    _ name: String
  ) throws {
    let page = Self.folder.appending(path: name)
    let text = try String(contentsOf: page, encoding: .utf8)
    let blocks = Self.blocks(of: text)
    try #require(blocks.count >= 5)
    // A line between the outputs, so that each is told from the next.
    let separator = "-- the next block --"
    let script = blocks.map(\.script).joined(separator: "echo '\(separator)'\n")
    let tool = try CommandLineTool()
    let run = try tool.shell(script)
    try #require(run.status == 0, "\(run)")
    let printed = run.output.components(separatedBy: separator + "\n")
    try #require(printed.count == blocks.count, "\(run)")
    if ProcessInfo.processInfo.environment["UPDATE_TRANSCRIPTS"] != nil {
      try Self.page(text, with: printed).write(to: page, atomically: true, encoding: .utf8)
      return
    }
    for (block, output) in zip(blocks, printed) {
      #expect(Self.withoutWhatDiffers(output) == Self.withoutWhatDiffers(block.output), "\(block.script)")
    }
  }

  /// The `sh` blocks, each with the `text` block that follows it.
  private static func blocks(of text: String) -> [(script: String, output: String)] {
    text.components(separatedBy: "\n```sh\n").dropFirst().map { part in
      let script = part.components(separatedBy: "\n```")[0] + "\n"
      let output = part.components(separatedBy: "\n```text\n").dropFirst().first
        .map { $0.hasPrefix("```") ? "" : $0.components(separatedBy: "\n```")[0] + "\n" }
      return (script, output ?? "")
    }
  }

  /// The page with other outputs.
  private static func page(_ text: String, with outputs: [String]) -> String {
    var parts = text.components(separatedBy: "\n```sh\n")
    for (place, output) in outputs.enumerated() {
      let halves = parts[place + 1].components(separatedBy: "\n```text\n")
      guard halves.count == 2, let end = ("\n" + halves[1]).range(of: "\n```") else { continue }
      parts[place + 1] = halves[0] + "\n```text\n" + output + ("\n" + halves[1])[end.lowerBound...].dropFirst()
    }
    return parts.joined(separator: "\n```sh\n")
  }

  /// Ids, times, durations, random numbers and padding are those of the run.
  private static func withoutWhatDiffers(_ text: String) -> String {
    text.replacing(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, with: "ID")
      .replacing(/\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(\.\d+)?( ?[+-]\d\d:\d\d|Z)?/, with: "TIME")
      .replacing(/\b[0-9a-f]{16}\b/, with: "NUMBER")
      .replacing(/"ms":[0-9.]+/, with: "MS").replacing(/\d{8}T\d{6}Z/, with: "TIME")
      .replacing(/[ ]+/, with: " ")
  }
}
