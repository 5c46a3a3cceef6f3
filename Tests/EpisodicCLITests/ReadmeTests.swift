import EpisodicMemory
import Foundation
import Testing

/// README and `--help` name the same commands and options.
@Suite struct `The README and the command line` {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

  private static func commandsInReadme() throws -> [[String]] {
    let text = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    let block = try #require(
      text.components(separatedBy: "```sh\n").dropFirst().first?.components(separatedBy: "```").first)
    return block.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
  }

  @Test func `the README shows every command that the tool has, and no other`() throws {
    let help = try CommandLineTool().run(["--help"]).output
    let listed = try #require(help.components(separatedBy: "SUBCOMMANDS:\n").dropFirst().first)
      .components(separatedBy: "\n\n")[0].matches(of: /(?m)^  (\w+)/).map { String($0.1) }.filter { $0 != "help" }
    let shown = try Self.commandsInReadme()
    #expect(shown.allSatisfy { $0.first == "episodic" })
    #expect(Set(shown.map { $0[1] }) == Set(listed))
  }

  @Test func `every option in the README is explained by --help of its command`() throws {
    for words in try Self.commandsInReadme() {
      // A verb of a group is named by both words.
      let verb = ["audit", "keys", "pattern", "retention"].contains(words[1]) ? words[1...2] : words[1...1]
      let help = try CommandLineTool().run(verb + ["--help"]).output
      for option in words.prefix(while: { $0 != "--" }) where option.hasPrefix("--") {
        #expect(help.contains(option), "\(words.joined(separator: " "))")
      }
    }
  }

  @Test func `every option of the contract exists`() throws {
    let contract = [
      "import": ["--vectors", "--model", "--dimensions", "--keep-going", "--store"],
      "export": ["--output", "--store"],
      "recall": [
        "--domain", "--everywhere", "--mode", "--limit", "--queries", "--output", "--query-vectors", "--model",
        "--dimensions", "--json",
      ],
      "record": ["--task", "--domain", "--context", "--episode"],
      "list": ["--json"], "show": ["--json"], "stats": ["--json"], "check": ["--json"], "rebuild": ["--store"],
    ]
    for (command, options) in contract {
      let help = try CommandLineTool().run([command, "--help"]).output
      for option in options { #expect(help.contains(option), "\(command) \(option)") }
    }
  }
}
