/// Makes symbols of steps: of calls with JSON arguments the name, of SQL the statement and its shape, of a shell command its
/// programs, of prose whether it asks or says.
package enum StepNormaliser {
  /// Bytes of an action that are looked at.
  static let visited = 4096

  package static func symbol(of step: StepText) -> StepSymbol {
    let (action, shape) = action(of: step)
    return StepSymbol(action: action, shape: shape, outcome: outcome(of: step))
  }

  /// The kind of action. A tool names it, unless the tool runs whatever it is given.
  private static func action(of step: StepText) -> (String, shape: String) {
    let tool = step.tool.map(name) ?? ""
    if !tool.isEmpty, !interpreters.contains(tool) { return (tool, "") }
    let text = ActionText(step.action)
    if let call = text.call { return (call, "") }
    if let statement = text.statement { return statement }
    if let command = text.command(certain: !tool.isEmpty) { return command }
    if !tool.isEmpty { return (tool, "") }
    return (text.isEmpty ? "nothing" : text.asks ? "ask" : "say", "")
  }

  /// Without a flag of its own a step failed if its result begins as errors do.
  static func outcome(of step: StepText) -> StepSymbol.Outcome {
    let result = step.result ?? ""
    if step.success == false || step.success == nil && beginsAsError(result) { return .failed }
    return isNothing(result) ? .empty : .ok
  }

  /// Tools that run what they are given: the action says what that is.
  private static let interpreters: Set<String> = [
    "bash", "sh", "zsh", "shell", "exec", "execute", "terminal", "run_command", "execute_command", "run_shell_command",
    "sql", "query_database", "execute_sql", "run_sql", "psql", "sqlite", "mysql",
  ]

  private static func name(_ tool: String) -> String {
    String(decoding: tool.utf8.prefix(StepSymbol.longest).filter { $0 > 0x20 && $0 != 0x7F }, as: UTF8.self)
      .lowercased()
  }

  private static func beginsAsError(_ result: String) -> Bool {
    let head = String(decoding: result.utf8.prefix(64), as: UTF8.self).drop { $0.isWhitespace }.lowercased()
    return ["error", "traceback (most recent", "exception", "fatal", "failed"].contains { head.hasPrefix($0) }
  }

  private static func isNothing(_ result: String) -> Bool {
    guard result.utf8.count <= 16 else { return result.utf8.allSatisfy { $0 <= 0x20 } }
    let text = result.filter { !$0.isWhitespace }
    return ["", "[]", "{}", "()", "null", "None", "nil", "\"\""].contains(text)
  }
}
