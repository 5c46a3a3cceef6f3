/// The text of an action, read as a call, an SQL statement, a shell command or prose.
struct ActionText {
  /// Without a code fence around it and white space at its ends.
  private let text: Substring
  private let words: [Substring]

  init(_ action: String) {
    var text = Substring(String(decoding: action.utf8.prefix(StepNormaliser.visited), as: UTF8.self))
    text = Self.trimmed(text)
    if text.hasPrefix("```") {
      text = text.firstIndex(where: \.isNewline).map { text[$0...] } ?? text.dropFirst(3)
      if let end = text.range(of: "```")?.lowerBound { text = text[..<end] }
      text = Self.trimmed(text)
    }
    self.text = text
    words = text.split(maxSplits: 64, whereSeparator: \.isWhitespace)
  }

  var isEmpty: Bool { text.isEmpty }

  /// Whether a sentence of it asks.
  var asks: Bool { text.contains("?") }

  // MARK: Calls

  /// The name of `name(…)`, or of a JSON object that names a tool.
  var call: String? {
    if let name = functionName { return name }
    guard text.hasPrefix("{") else { return nil }
    for member in ["\"tool\"", "\"tool_name\"", "\"name\"", "\"function\"", "\"action\"", "\"command\""] {
      guard let end = text.range(of: member)?.upperBound else { continue }
      let value = text[end...].drop { $0.isWhitespace || $0 == ":" }
      guard value.first == "\"" else { continue }
      let name = value.dropFirst().prefix { $0 != "\"" && !$0.isWhitespace }
      if !name.isEmpty, name.count <= StepSymbol.longest { return name.lowercased() }
    }
    return nil
  }

  private var functionName: String? {
    let name = text.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." || $0 == "-" }
    guard let first = name.first, first.isLetter || first == "_", text[name.endIndex...].first == "(",
      text.last == ")" || text.last == ";"
    else { return nil }
    return name.lowercased()
  }

  // MARK: SQL

  /// The statement and its shape.
  var statement: (String, shape: String)? {
    guard let first = words.first?.lowercased(), words.count >= 2 else { return nil }
    let second = words[1].lowercased()
    switch first {
    case "select": return has("from") || words.count <= 8 ? select : nil
    case "with": return second != "the" && has("select") ? ("select", "nested") : nil
    case "show":
      if ["columns", "fields", "full", "create", "index", "indexes", "keys"].contains(second) {
        return ("describe", "")
      }
      return ["tables", "databases", "schemas"].contains(second.filter(\.isLetter))
        ? ("show \(second.filter(\.isLetter))", "") : nil
    case "describe", "desc": return words.count <= 3 ? ("describe", "") : nil
    case "pragma": return ("describe", "")
    case "explain": return has("select") || words.count <= 3 ? (first, "") : nil
    case "insert", "replace": return second == "into" ? (first, "") : nil
    case "update": return has("set") ? (first, "") : nil
    case "delete": return second == "from" ? (first, "") : nil
    case "create", "alter", "drop", "truncate":
      return ["table", "view", "index", "database", "unique", "temporary", "trigger"].contains(second)
        ? (first, "") : nil
    case "use": return words.count == 2 ? (first, "") : nil
    default: return nil
    }
  }

  private var select: (String, shape: String) {
    let lower = words.map { $0.lowercased() }
    if lower.contains(where: { $0.hasPrefix("information_schema") || $0.hasPrefix("sqlite_master") }) {
      return ("describe", "")
    }
    // Looks at rows rather than for an answer.
    if lower.count > 1, lower[1] == "*", lower.contains("limit"), !lower.contains("where") {
      return ("sample rows", "")
    }
    if lower.count(where: { $0.hasSuffix("(select") || $0 == "select" }) > 1 { return ("select", "nested") }
    if lower.contains("join") { return ("select", "join") }
    return ("select", lower.contains("group") ? "group" : "")
  }

  private func has(_ word: String) -> Bool { words.contains { $0.lowercased() == word } }

  // MARK: Shell

  /// The first program of a pipeline, and those behind it, as `| sort | uniq`; three in all.
  ///
  /// - Parameter certain: Whether the text is known to be a command; otherwise prose is told from it by its first word and
  ///   its punctuation.
  func command(certain: Bool) -> (String, shape: String)? {
    guard certain || looksLikeCommand else { return nil }
    var programs: [String] = []
    // What follows `cd there &&` is what was done.
    for part in text.split(whereSeparator: { $0 == "|" || $0 == ";" || $0 == "&" || $0.isNewline }) {
      guard let program = Self.program(of: part), program != "cd" || programs.isEmpty else { continue }
      if programs == ["cd"] { programs = [] }
      if programs.last != program { programs.append(program) }
      if programs.count == 3 { break }
    }
    guard let first = programs.first else { return nil }
    return (first, programs.dropFirst().map { "| \($0)" }.joined(separator: " "))
  }

  private var looksLikeCommand: Bool {
    guard let first = words.first else { return false }
    let word = String(first)
    if Self.programs.contains(word) { return true }
    if word.hasPrefix("./") || word.hasPrefix("/") || word.hasPrefix("#!") { return true }
    if let equals = word.firstIndex(of: "="), word[..<equals].allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) {
      return true
    }
    guard word.allSatisfy({ $0.isLowercase || $0.isNumber || "-_.".contains($0) }) else { return false }
    return words.dropFirst().contains {
      $0.hasPrefix("-") && $0.count > 1 || $0 == "|" || $0 == "&&" || $0.hasPrefix("/")
    }
  }

  private static func program(of part: Substring) -> String? {
    var words = part.split(maxSplits: 12, whereSeparator: \.isWhitespace).map(String.init)
    while let word = words.first, wrappers.contains(word) || word.contains("=") || word.hasPrefix("-") || word == "{" {
      words.removeFirst()
    }
    guard let word = words.first else { return nil }
    let name =
      word.split(separator: "/").last.map { $0.filter { $0.isLetter || $0.isNumber || "-_.+".contains($0) } } ?? ""
    guard !name.isEmpty, !name.hasPrefix("-") else { return nil }
    // Programs of which the first word says what they do.
    if subcommands.contains(name), let verb = words.dropFirst().first(where: { $0.first?.isLetter == true }) {
      if name.hasPrefix("python"), words.count > 2, words[1] == "-m" { return words[2].lowercased() }
      return name.hasPrefix("python") ? "python" : "\(name) \(verb.lowercased())"
    }
    return name.lowercased()
  }

  private static let wrappers: Set<String> = [
    "sudo", "env", "time", "nohup", "command", "xargs", "exec", "do", "then", "else", "if", "while", "!", "(", "nice",
  ]
  private static let subcommands: Set<String> = [
    "git", "npm", "yarn", "pnpm", "cargo", "swift", "go", "make", "docker", "kubectl", "pip", "pip3", "apt", "apt-get",
    "brew", "dotnet", "python", "python3", "npx", "uv", "bundle", "systemctl",
  ]
  private static let programs: Set<String> = [
    "alias", "apt", "apt-get", "awk", "basename", "bash", "bunzip2", "bzip2", "cal", "cargo", "cat", "cd", "chmod",
    "chown",
    "cksum", "clear", "cmake", "cmp", "comm", "cp", "crontab", "csplit", "curl", "cut", "date", "dd", "df", "diff",
    "dig",
    "dirname", "docker", "du", "echo", "egrep", "env", "export", "expr", "false", "fgrep", "file", "find", "fold",
    "for", "free",
    "gcc", "git", "go", "grep", "gunzip", "gzip", "head", "hexdump", "host", "hostname", "id", "if", "ifconfig", "ip",
    "java",
    "join", "jq", "kill", "kubectl", "less", "ln", "locate", "ls", "lsof", "make", "man", "md5sum", "mkdir", "mktemp",
    "more",
    "mv", "nl", "node", "npm", "npx", "od", "openssl", "paste", "perl", "pgrep", "ping", "pip", "pip3", "pnpm",
    "printenv",
    "printf", "ps", "pwd", "pytest", "python", "python3", "readlink", "realpath", "rg", "rm", "rmdir", "rsync", "ruby",
    "scp",
    "sed", "seq", "set", "sha1sum", "sha256sum", "sleep", "sort", "split", "ssh", "stat", "strings", "su", "sudo",
    "sum",
    "swift", "tac", "tail", "tar", "tee", "test", "time", "top", "touch", "tr", "tree", "true", "tsc", "type", "uname",
    "uniq",
    "unzip", "uptime", "vim", "wc", "wget", "which", "while", "who", "whoami", "xargs", "xxd", "yarn", "yes", "zip",
    "zsh",
  ]

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}

extension Substring {
  /// Where another text begins and ends in it first.
  fileprivate func range(of other: String) -> Range<Index>? {
    guard let first = other.first else { return nil }
    var start = startIndex
    while let found = self[start...].firstIndex(of: first) {
      if self[found...].hasPrefix(other) { return found..<index(found, offsetBy: other.count) }
      start = index(after: found)
    }
    return nil
  }
}
