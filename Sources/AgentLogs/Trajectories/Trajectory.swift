import EpisodicMemory
import Foundation

/// A run of SWE-agent (`.traj`) or mini-swe-agent: one JSON object in a file.
enum Trajectory {
  /// A longer file is not read: it is held in memory whole.
  static let maximumBytes: Int64 = 64 << 20

  /// - Parameter name: Names the run if the file does not.
  /// - Throws: `.invalid` if the text is no JSON.
  static func episode(_ bytes: [UInt8], name: String) throws(MemoryError) -> LoggedEpisode? {
    var scanner = try JSONScanner(bytes, repair: .applied)
    let value = try scanner.value()
    try scanner.end()
    guard let run = value.members else { return nil }
    let isMini = run.text("trajectory_format")?.hasPrefix("mini-swe-agent") ?? false
    guard isMini || run["trajectory"] != nil else { return nil }
    let agent = isMini ? "mini-swe-agent" : "swe-agent"
    let messages = (isMini ? run.array("messages") : run.array("history")).compactMap(\.members)
    let task = messages.first { $0.text("role") == "user" && !$0.isTrue("is_demo") }.flatMap(text)
    let names: JSON = [.string(agent), .string(name)]
    var episode = LoggedEpisode(
      id: Episode.ID("run-" + names.canonicalHash.prefix(24)), agent: agent, session: nil, directory: nil,
      prompt: task ?? "\(name), whose trajectory has no task", begin: nil,
      provenance: Provenance(.imported, id: agent, actor: agent))
    episode.domain = agent
    episode.metadata["source"] = .string(agent)
    episode.metadata["source_id"] = .string(name)
    let info = run.object("info")
    note(info, &episode)
    if isMini {
      readMessages(messages, &episode)
    } else {
      for (number, turn) in run.array("trajectory").compactMap(\.members).enumerated() {
        add(turn.text("action"), turn.text("observation"), "\(number)", &episode) { step in
          guard let seconds = turn["execution_time"]?.double, (0...1e9).contains(seconds) else { return }
          step.duration = .milliseconds(Int(seconds * 1000))
        }
      }
    }
    return episode.steps.isEmpty ? nil : episode
  }

  /// How it ended: a submission is none that was judged.
  private static func note(_ info: JSON.Object, _ episode: inout LoggedEpisode) {
    guard let status = info.name("exit_status") else { return }
    episode.metadata["exit_status"] = .string(status)
    if !status.lowercased().contains("submitted") { episode.ending = .failed(status) }
  }

  /// Commands stand in a block of the model's text, results with their code in the message after it.
  private static func readMessages(_ messages: [JSON.Object], _ episode: inout LoggedEpisode) {
    for (number, message) in messages.enumerated() where message.text("role") == "assistant" {
      guard let text = text(message), let command = text.firstMatch(of: /(?s)```[a-z_-]*\n(.*?)\n?```/) else {
        continue
      }
      let next = messages.indices.contains(number + 1) ? messages[number + 1] : [:]
      let observation = next.text("role") == "assistant" ? nil : self.text(next)
      add(String(command.1), observation, "\(number)", &episode) { step in
        let code = observation?.firstMatch(of: /<returncode>(-?\d{1,9})<\/returncode>/).flatMap { Int($0.1) }
        step.success = code.map { $0 == 0 }
      }
    }
  }

  private static func text(_ message: JSON.Object) -> String? {
    message.text("content")
      ?? message.array("content").lazy.compactMap { $0.members?.text("text") }.first
  }

  private static func add(
    _ action: String?, _ observation: String?, _ call: String, _ episode: inout LoggedEpisode,
    _ change: (inout AgentStep) -> Void
  ) {
    guard let action = action?.trimmingCharacters(in: .whitespacesAndNewlines), !action.isEmpty else { return }
    episode.add(AgentStep(tool: "shell", call: call, action: action))
    if let observation { episode.setOutput(observation.replacing("\r\n", with: "\n"), of: call) }
    episode.update(call: call, change)
  }
}
