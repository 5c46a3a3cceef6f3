import Foundation

/// What a person wrote, among what a client adds to it.
enum PromptText {
  /// Beginnings of texts that Claude Code writes in a person's name.
  static let claudeNotes = [
    "<command-name>", "<command-message>", "<local-command-", "<bash-", "<task-notification>",
    "Caveat: The messages below",
  ]
  /// The same of Codex.
  static let codexNotes = [
    "<environment_context>", "<user_instructions>", "<skills_instructions>", "<permissions", "<turn_aborted>",
    "# AGENTS.md instructions", "<INSTRUCTIONS>", "<user_shell_command>",
  ]

  /// The text without reminders of the client.
  ///
  /// - Parameter notes: Beginnings of texts that no person wrote.
  /// - Returns: `nil` if nothing is left.
  static func prompt(_ text: String, after notes: [String]) -> String? {
    let plain = removing("system-reminder", from: text).trimmingCharacters(in: .whitespacesAndNewlines)
    return plain.isEmpty || notes.contains(where: plain.hasPrefix) ? nil : plain
  }

  private static func removing(_ tag: String, from text: String) -> String {
    let parts = text.components(separatedBy: "<\(tag)>")
    guard parts.count > 1 else { return text }
    return parts[0]
      + parts.dropFirst().map { part in
        // One that does not end reaches to the end.
        part.range(of: "</\(tag)>").map { String(part[$0.upperBound...]) } ?? ""
      }.joined()
  }
}
