import Episodic

extension Episode {
  /// The whole episode for people: its fields, then its steps.
  func lines(_ format: TimeFormat) -> [String] {
    func time(_ time: Timestamp) -> String {
      StandardOutput.isTerminal ? "\(format.exact(time)) (\(format.age(time)))" : format.exact(time)
    }
    var lines = [field("context", context.indentedLines(by: 11)), field("status", status.style.applied(to: outcome))]
    var fields = [("task", taskType.rawValue), ("domain", domain)]
    if let session { fields.append(("session", session)) }
    fields.append(("created", time(createdAt)))
    if let completedAt { fields.append(("completed", time(completedAt))) }
    if provenance.source != nil || provenance.sourceID != nil {
      let source = [provenance.source?.rawValue, provenance.sourceID].compactMap { $0 }
      fields.append(("source", source.joined(separator: " ")))
    }
    if let actor = provenance.actor { fields.append(("actor", actor)) }
    if trust != .trusted { fields.append(("trust", trust.rawValue)) }
    if !parents.isEmpty { fields.append(("derived", "from " + parents.map(\.rawValue).joined(separator: ", "))) }
    if metadata != [:] { fields.append(("metadata", metadata.outputText)) }
    fields.append(("id", id.rawValue))
    lines += fields.map { field($0, $1.onOneLine) }
    for step in steps { lines += [""] + step.lines(format) }
    return lines
  }

  private func field(_ name: String, _ text: String) -> String {
    TextStyle.faint.applied(to: name) + String(repeating: " ", count: max(0, 11 - name.count)) + text
  }
}

extension Step {
  /// The whole step for people.
  func lines(_ format: TimeFormat) -> [String] {
    var notes: [String] = []
    if let success {
      notes.append(success ? TextStyle.green.applied(to: "ok") : TextStyle.red.applied(to: "FAILED"))
    }
    if let tool { notes.append(tool.onOneLine) }
    if let duration { notes.append(duration.displayText) }
    let source = [provenance.source?.rawValue, provenance.sourceID].compactMap { $0 }
    if !source.isEmpty { notes.append("from " + source.joined(separator: " ").onOneLine) }
    if let trust = provenance.level, trust < .trusted { notes.append(trust.rawValue) }
    notes.append(format.exact(timestamp))
    var lines = ["step \(number)  \(notes.joined(separator: "  "))", "  > " + action.indentedLines(by: 4)]
    if let result { lines.append("    " + result.indentedLines(by: 4)) }
    return lines
  }
}

extension String {
  /// Every line but the first indented.
  fileprivate func indentedLines(by columns: Int) -> String {
    let text = OmissionMarker.described(in: replacing("\r\n", with: "\n")).terminalSafe
    let trimmed = text.hasSuffix("\n") ? String(text.dropLast()) : text
    return trimmed.replacing("\n", with: "\n" + String(repeating: " ", count: columns))
  }
}
