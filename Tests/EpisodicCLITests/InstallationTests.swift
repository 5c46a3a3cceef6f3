import Foundation
import TestSupport
import Testing

@Suite struct `Installation` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    .path(percentEncoded: false)

  /// A command, with the words that lead to it and the long names of its options.
  private struct Verb {
    let words: [String]
    let options: [String]
  }

  /// Every command that help shows, from the parser's own description.
  private func verbs() throws -> [Verb] {
    let dump = try #require(episodic("--experimental-dump-help").json?["command"] as? [String: Any])
    func verbs(_ command: [String: Any], _ words: [String]) -> [Verb] {
      let words = words + [command["commandName"] as? String ?? ""]
      let arguments = (command["arguments"] as? [[String: Any]] ?? []).filter { $0["shouldDisplay"] as? Bool == true }
      let options = arguments.flatMap { $0["names"] as? [[String: String]] ?? [] }
        .filter { $0["kind"] == "long" }.compactMap { $0["name"] }
      let subcommands = (command["subcommands"] as? [[String: Any]] ?? [])
        .filter { $0["shouldDisplay"] as? Bool != false && $0["commandName"] as? String != "help" }
      return [Verb(words: words, options: options)] + subcommands.flatMap { verbs($0, words) }
    }
    return verbs(dump, [])
  }

  private func make(_ target: String, _ prefix: String) throws -> CommandLineTool.Result {
    let built = Child.products.appending(path: "episodic").path(percentEncoded: false)
    return try episodic.shell("make -s -C '\(Self.root)' \(target) EPISODIC='\(built)' PREFIX=/usr DESTDIR='\(prefix)'")
  }

  private func files(_ directory: String) throws -> Set<String> {
    let result = try episodic.shell("cd '\(directory)' && find . -type f | sort")
    return Set(result.output.split(separator: "\n").map { String($0.dropFirst(2)) })
  }

  @Test
  func `make install puts the command, its pages and completions under the prefix, and make uninstall removes them`()
    throws
  {
    let prefix = episodic.path("destination")
    let installed = try make("install", prefix)
    #expect(installed.status == 0, "\(installed)")
    let found = try files(prefix)
    let pages = try verbs().map { "usr/share/man/man1/\($0.words.joined(separator: "-")).1" }
    let others = [
      "usr/bin/episodic", "usr/share/bash-completion/completions/episodic", "usr/share/zsh/site-functions/_episodic",
      "usr/share/fish/vendor_completions.d/episodic.fish",
    ]
    #expect(found == Set(pages + others))
    #expect(try episodic.shell("'\(prefix)/usr/bin/episodic' --version").output == episodic("--version").output)
    _ = try episodic.shell("touch '\(prefix)/usr/share/man/man1/other.1'")
    #expect(try make("uninstall", prefix).status == 0)
    #expect(try files(prefix) == ["usr/share/man/man1/other.1"])
  }

  @Test func `the manual pages have every command and option that help has`() throws {
    let directory = episodic.path("man")
    #expect(try episodic.shell("mkdir '\(directory)' && episodic manual '\(directory)'").status == 0)
    for verb in try verbs() {
      let page = try String(contentsOfFile: "\(directory)/\(verb.words.joined(separator: "-")).1", encoding: .utf8)
      for option in verb.options {
        #expect(page.contains(".It Fl -\(option)") || page.contains(", Fl -\(option)"), "\(verb.words) \(option)")
      }
      #expect(page.contains(".Nd ") && page.contains(".Sh DESCRIPTION"))
      #expect(!page.contains("\n\n"), "\(verb.words)")
    }
    let root = try String(contentsOfFile: "\(directory)/episodic.1", encoding: .utf8)
    for verb in try verbs() where verb.words.count == 2 { #expect(root.contains(".It Cm \(verb.words[1])\n")) }
    #expect(root.contains(".Sh EXIT CODES") && root.contains("EPISODIC_STORE"))
    // What a formatter has to say about them, if there is one.
    let complaints = try episodic.shell(
      "command -v groff >/dev/null || exit 0; for page in '\(directory)'/*.1; do groff -mdoc -Tutf8 -ww -z \"$page\"; done 2>&1"
    )
    #expect(complaints.output.isEmpty && complaints.status == 0, "\(complaints)")
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func `the completions have every command and option`(shell: String) throws {
    let script = try episodic("--generate-completion-script", shell)
    #expect(script.status == 0)
    for verb in try verbs() {
      #expect(verb.words.allSatisfy { script.output.contains($0) }, "\(verb.words)")
      for option in verb.options {
        #expect(script.output.contains(shell == "fish" ? option : "--\(option)"), "\(verb.words) \(option)")
      }
    }
    #expect(!script.output.contains("manual"), "a command that help does not show")
    if shell == "bash" {
      let file = try episodic.file("completions", script.output)
      #expect(try episodic.shell("bash -n '\(file)'").status == 0)
    }
  }
}
