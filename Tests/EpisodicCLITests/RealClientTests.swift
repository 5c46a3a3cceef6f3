import EpisodicMemory
import Foundation
import TestSupport
import Testing

/// The real clients with a scripted model on loopback; they are large, so they are named by the environment.
@Suite struct `Real clients` {
  private func converse(_ agent: String, _ program: String) throws -> JSON {
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "real_clients.py")
    let directory = try TemporaryDirectory()
    let child = try Child(
      running: "/usr/bin/env",
      [
        "python3", script.path(percentEncoded: false), agent, program,
        Child.products.appending(path: "episodic").path(percentEncoded: false), directory.file("agent"),
      ], in: directory)
    let status = child.wait()
    let (output, errors) = (try child.standardOutput, try child.standardError)
    try #require(status == 0, "\(output) \(errors)")
    return try JSON(text: output.trimmingCharacters(in: .newlines))
  }

  /// In the first session the agent fails and finds the fix; in the second both are in its prompt without its asking.
  private func expect(_ found: JSON, actor: JSON) {
    #expect(found["fix_in_prompt"] == true && found["failure_in_prompt"] == true, "\(found)")
    #expect(found["recalled"] == true && found["undone"] == true && found["hook_log"] == "", "\(found)")
    guard case .array(let episodes)? = found["episodes"], case .string(let checked)? = found["checked"] else {
      Issue.record("\(found)")
      return
    }
    #expect(checked.contains("5 tools"), "\(checked)")
    #expect(episodes.count == 2 && episodes.allSatisfy { $0["status"] == "completed" }, "\(found)")
    #expect(episodes.allSatisfy { $0["actor"] == actor && $0["domain"] == "work" }, "\(found)")
    guard case .array(let steps)? = episodes.last?["steps"] else { return }
    #expect(steps.count == 3 && steps[0][1] == false && steps[1][1] == true, "\(steps)")
    // The hook has seen what the logs say.
    #expect(found["synced"]?["added"] == 0 && found["once_more"]?["changed"] == 0, "\(found)")
    #expect(found["synced"]?["bad_lines"] == 0 && found["synced"]?["results_without_call"] == 0, "\(found)")
  }

  @Test(
    .enabled(
      if: RealClient.program("EPISODIC_CLAUDE") != nil, "skipped: no Claude Code; name its program in EPISODIC_CLAUDE"))
  func `Claude Code has the failure of one session and its fix in the next`() throws {
    let program = try #require(RealClient.program("EPISODIC_CLAUDE"))
    expect(try converse("claude", program), actor: "claude-code")
  }

  @Test(
    .enabled(if: RealClient.program("EPISODIC_CODEX") != nil, "skipped: no Codex; name its program in EPISODIC_CODEX"))
  func `Codex has the failure of one session and its fix in the next`() throws {
    let program = try #require(RealClient.program("EPISODIC_CODEX"))
    expect(try converse("codex", program), actor: "codex")
  }
}

enum RealClient {
  /// The program that a variable names.
  static func program(_ variable: String) -> String? {
    ProcessInfo.processInfo.environment[variable].flatMap {
      FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil
    }
  }
}

extension JSON {
  fileprivate subscript(index: Int) -> JSON? {
    guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
    return elements[index]
  }
}
