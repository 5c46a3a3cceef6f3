import ArgumentParser

/// The verb among the arguments of a call that was refused, and the verb that was meant if there is no such one.
struct VerbSuggestion {
  /// The verbs that there are, each with a space after it, for `see episodic pattern add --help`.
  let path: String
  /// What is wrong with the verb; `nil` if there is one.
  let message: String?

  init(_ arguments: [String]) {
    var words = Self.words(arguments)[...]
    var command: any ParsableCommand.Type = EpisodicCommand.self
    var path = ""
    while !command.configuration.subcommands.isEmpty, let word = words.popFirst() {
      guard let next = command.configuration.subcommands.first(where: { $0._commandName == word }) else {
        self.message = Self.message(word, path, command)
        self.path = path
        return
      }
      path += "\(word) "
      command = next
    }
    self.path = path
    message =
      command.configuration.subcommands.isEmpty
      ? nil : "say what to do: \(command.configuration.subcommands.map { $0._commandName }.joined(separator: ", "))"
  }

  /// The arguments without options of the store, which may stand before the verb, and without what follows `--`.
  static func words(_ arguments: [String]) -> [String] {
    var words: [String] = []
    var rest = arguments.prefix { $0 != "--" }
    while let argument = rest.popFirst() {
      if argument == "--store" || argument == "--busy-timeout" {
        _ = rest.popFirst()
      } else if !argument.hasPrefix("-") {
        words.append(argument)
      }
    }
    return words
  }

  private static func message(_ word: String, _ path: String, _ command: any ParsableCommand.Type) -> String {
    let names = command.configuration.subcommands.map { $0._commandName } + (path.isEmpty ? ["help"] : [])
    let nearest = names.map { (name: $0, distance: distance(word, $0)) }.min { $0.distance < $1.distance }
    // A third of the word may be wrong; a beginning of it is enough.
    let close = nearest.flatMap { $0.distance <= max(1, word.count / 3) ? $0.name : nil }
    let meant = close ?? names.first { word.count >= 3 && $0.hasPrefix(word) }
    return "there is no command \"\(path)\(word)\"" + (meant.map { "; did you mean \(path)\($0)?" } ?? "")
  }

  /// Insertions, deletions, replacements and exchanges of neighbours that make one word of the other (Damerau).
  static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var rows = [Array(0...b.count)]
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var least = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, rows[i - 1][j - 1] + 1) }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
