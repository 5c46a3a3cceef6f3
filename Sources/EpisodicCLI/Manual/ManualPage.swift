import Episodic

/// A manual page in mdoc, made from what the argument parser knows of a command.
struct ManualPage {
  /// The words of the command: `episodic`, `pattern`, `add`.
  let words: [String]
  /// The command in the form of the parser's dump.
  private let command: JSON

  /// The page of a command, then those of its subcommands.
  ///
  /// - Parameter command: A command of `--experimental-dump-help`.
  static func pages(of command: JSON, after words: [String] = []) -> [ManualPage] {
    let page = ManualPage(words: words + [command.text("commandName")], command: command)
    let subcommands = command.list("subcommands").filter { $0.text("commandName") != "help" }
    return [page] + subcommands.filter(\.isShown).flatMap { pages(of: $0, after: page.words) }
  }

  private init(words: [String], command: JSON) {
    self.words = words
    self.command = command
  }

  /// `episodic-pattern-add`, which `man episodic pattern add` finds too.
  var name: String { words.joined(separator: "-") }

  var text: String {
    let abstract = command.text("abstract")
    let plain = abstract.hasSuffix(".") ? String(abstract.dropLast()) : abstract
    var lines = [
      ".\\\" Made from the command's own help by `episodic manual`.", ".Dd $Mdocdate$",
      ".Dt \(name.uppercased()) 1", ".Os", ".Sh NAME", ".Nm \(name)",
      ".Nd \(Self.escaped(plain.prefix(1).lowercased() + plain.dropFirst()))", ".Sh SYNOPSIS",
      ".Nm \(words[0])" + (words.count > 1 ? " Cm \(words.dropFirst().joined(separator: " Cm "))" : ""),
    ]
    let arguments = command.list("arguments").filter { $0.flag("shouldDisplay") }
    let subcommands = command.list("subcommands").filter { $0.isShown && $0.text("commandName") != "help" }
    lines += arguments.filter { $0.text("kind") != "positional" }.map(Self.synopsis)
    lines += arguments.filter { $0.text("kind") == "positional" }.map(Self.synopsis)
    if !subcommands.isEmpty { lines.append(".Ar command") }
    lines += [".Sh DESCRIPTION", Self.escaped(abstract)] + Self.discussion(command.text("discussion"))
    if !arguments.isEmpty { lines += [".Sh OPTIONS"] + Self.list(arguments.map(Self.item)) }
    if !subcommands.isEmpty {
      lines += [".Sh COMMANDS"]
      lines += Self.list(
        subcommands.map { [".It Cm \($0.text("commandName"))", Self.escaped($0.text("abstract"))] })
    }
    if words.count == 1 {
      lines += [".Sh ENVIRONMENT"]
      lines += Self.list(
        [
          ("EPISODIC_STORE", "The directory of the store, unless --store names one."),
          ("EPISODIC_ACTOR", "Who writes, for the audit of the store, unless --actor says it."),
          ("EPISODIC_KEY", "The key of encrypted domains, unless --key-file or --key-descriptor says where it is."),
          (HTTPOptions.tokenVariable, "The token that clients of mcp --http send, unless an option says where it is."),
          ("NO_COLOR", "If set, nothing is coloured."),
          ("CLICOLOR_FORCE", "If set and not 0, output is coloured also where it is no terminal."),
          ("COLUMNS", "The width of tables where the output is no terminal."),
        ].map { [".It Ev \($0.0)", Self.escaped($0.1)] })
    }
    lines += [".Sh SEE ALSO"] + seeAlso(subcommands)
    return lines.joined(separator: "\n") + "\n"
  }

  private func seeAlso(_ subcommands: [JSON]) -> [String] {
    let others =
      words.count == 1
      ? subcommands.map { "\(name)-\($0.text("commandName"))" }
      : [words.dropLast().joined(separator: "-")] + subcommands.map { "\(name)-\($0.text("commandName"))" }
    return others.enumerated().map { ".Xr \($1) 1\($0 == others.count - 1 ? "" : " ,")" }
  }

  // MARK: Parts

  private static func synopsis(_ argument: JSON) -> String {
    let value = argument.text("valueName")
    let repeated = argument.flag("isRepeating") ? " ..." : ""
    let optional = argument.flag("isOptional") || !argument.text("defaultValue").isEmpty
    let text: String
    switch argument.text("kind") {
    case "positional": text = "Ar \(escaped(value))\(repeated)"
    case "flag": text = "Fl \(dashes(argument))"
    default: text = "Fl \(dashes(argument)) Ar \(escaped(value))\(repeated)"
    }
    return optional ? ".Op \(text)" : ".\(text)"
  }

  private static func item(_ argument: JSON) -> [String] {
    let value = escaped(argument.text("valueName"))
    let names = argument.list("names").map { name in
      name.text("kind") == "long" ? "Fl -\(name.text("name"))" : "Fl \(name.text("name"))"
    }
    let head: String
    switch argument.text("kind") {
    case "positional": head = "Ar \(value)"
    case "flag": head = names.joined(separator: " , ")
    default: head = names.map { "\($0) Ar \(value)" }.joined(separator: " , ")
    }
    var text = [argument.text("abstract"), argument.text("discussion")].filter { !$0.isEmpty }
    if case .string(let value)? = argument["defaultValue"], !value.isEmpty { text.append("Default: \(value).") }
    return [".It \(head)"] + text.map(escaped)
  }

  /// `-store` of `--store`: mdoc writes the first dash.
  private static func dashes(_ argument: JSON) -> String {
    guard let name = argument["preferredName"] else { return "" }
    return name.text("kind") == "long" ? "-\(name.text("name"))" : name.text("name")
  }

  private static func list(_ items: [[String]]) -> [String] {
    [".Bl -tag -width Ds"] + items.flatMap { $0 } + [".El"]
  }

  /// Paragraphs, and the parts with a heading such as EXAMPLES, whose indented lines stay as they are.
  private static func discussion(_ text: String) -> [String] {
    var lines: [String] = []
    var isLiteral = false
    func endLiteral() {
      if isLiteral { lines.append(".Ed") }
      isLiteral = false
    }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.hasSuffix(":"), line == line.uppercased() {
        endLiteral()
        lines.append(".Sh \(line.dropLast())")
      } else if line.hasPrefix("  ") {
        if !isLiteral { lines.append(".Bd -literal -offset indent") }
        isLiteral = true
        lines.append(escaped(String(line.dropFirst(2))))
      } else {
        endLiteral()
        if line.isEmpty { lines.append(".Pp") } else { lines.append(escaped(line)) }
      }
    }
    endLiteral()
    // A paragraph before a section, or before nothing, is none.
    return zip(lines, Array(lines.dropFirst()) + [".Sh"]).filter { $0 != ".Pp" || !$1.hasPrefix(".Sh") }.map(\.0)
  }

  /// Text of which roff interprets nothing. Dashes are those of ASCII, so that examples can be copied.
  private static func escaped(_ text: String) -> String {
    let plain = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
    return plain.hasPrefix(".") || plain.hasPrefix("'") ? "\\&" + plain : plain
  }
}

extension JSON {
  fileprivate func text(_ name: String) -> String { if case .string(let text)? = self[name] { text } else { "" } }

  fileprivate func flag(_ name: String) -> Bool { if case .bool(let flag)? = self[name] { flag } else { false } }

  fileprivate func list(_ name: String) -> [JSON] {
    if case .array(let elements)? = self[name] { elements } else { [] }
  }

  /// A command without this member is shown.
  fileprivate var isShown: Bool { if case .bool(let flag)? = self["shouldDisplay"] { flag } else { true } }
}
