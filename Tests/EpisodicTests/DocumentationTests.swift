import Foundation
import Testing

/// The texts of the documentation, held to the code. `ProgramTests` runs the programs in them.
@Suite struct `Documentation` {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  @Test func `every relative link of the README leads to a file`() throws {
    let links = try Self.text("README.md").matches(of: /\]\(([^)#]+)\)/).map { String($0.1) }
      .filter { !$0.contains("://") }
    #expect(links.count >= 8)
    for link in links {
      #expect(
        FileManager.default.fileExists(atPath: Self.root.appending(path: link).path(percentEncoded: false)), "\(link)")
    }
  }

  @Test func `the manifest in the README has the tools version and the platforms of the package`() throws {
    let package = try Self.text("Package.swift")
    let shown = try #require(
      DocumentedProgram.blocks("swift", of: try Self.text("README.md")).first { $0.contains(".package(") })
    #expect(shown.prefix { $0 != "\n" } == package.prefix { $0 != "\n" })
    let platforms = try #require(package.firstMatch(of: /\n  (platforms: \[[^\]]*\])/)?.output.1)
    #expect(shown.contains(platforms), "\(platforms)")
  }

  /// Words that a reader from outside cannot know, beside decisions and Architecture, which explain the code.
  @Test func `pages for readers from outside use no words that only the code explains`() throws {
    let words = ["anew", "for ever", "raw open", "freshness gate", "ever finer", "single flight"]
    let folder = "Sources/Episodic/Episodic.docc"
    let pages = try FileManager.default.contentsOfDirectory(
      atPath: Self.root.appending(path: folder).path(percentEncoded: false)
    ).filter { $0.hasSuffix(".md") && $0 != "Architecture.md" }.map { folder + "/" + $0 }
    for page in pages + ["README.md"] {
      let text = try Self.text(page).lowercased()
      for word in words { #expect(text.firstMatch(of: try Regex("\\b\(word)\\b")) == nil, "\(page)") }
    }
  }

  /// The facade shows every verb on one screen, or two.
  @Test(arguments: [
    (facade: "Memory", file: "EpisodicMemory/Memory.swift", targets: ["EpisodicMemory", "Interchange"], lines: 96),
    (facade: "Ledger", file: "AgentLedger/Ledger.swift", targets: ["AgentLedger"], lines: 120),
  ]) func `a facade lists every public verb, and each where it says`(
    _ facade: String, _ file: String, _ targets: [String], _ lines: Int
  ) throws {
    let text = try Self.text("Sources/" + file)
    #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= lines)
    let files = targets.flatMap { target in
      (FileManager.default.enumerator(
        atPath: Self.root.appending(path: "Sources/\(target)").path(percentEncoded: false))?
        .compactMap { $0 as? String } ?? []).filter {
          $0.contains("/\(facade)+") || $0.hasPrefix("\(facade)+")
        }.map { (target: target, file: $0) }
    }
    #expect(files.count >= 6)
    for (target, file) in files {
      let verbs = try Self.text("Sources/\(target)/\(file)").matches(of: /public func (\w+)/).map { String($0.1) }
      guard !verbs.isEmpty else { continue }
      let section = try #require(
        text.components(separatedBy: "## ").first { $0.contains(file) }, "\(file) is not listed")
      for verb in verbs { #expect(section.contains("`\(verb)("), "\(verb) of \(file) is not listed") }
    }
  }
}
