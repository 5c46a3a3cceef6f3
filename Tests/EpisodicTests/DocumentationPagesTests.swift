import Foundation
import TestSupport
import Testing

/// The documentation of `import Episodic`, built by `.ci/docs` from the modules of this build.
@Suite(.enabled(if: DocumentationPages.hasCompiler, "there is no docc")) struct `Documentation pages` {
  @Test func `the catalogue builds without a warning, and every public name has its page and its comment`() throws {
    let directory = try TemporaryDirectory()
    let output = directory.file("documentation")
    let result = try DocumentationPages.build(into: output)
    try #require(result.status == 0, "\(result.text)")

    let graph = try JSONDecoder().decode(
      SymbolGraph.self, from: Data(contentsOf: URL(filePath: output + "/Episodic.symbols.json")))
    let names = Set(graph.symbols.map(\.name))
    let listed = Set(try Documentation.text(`Public names`.list).split(separator: "\n").map(String.init))
    // What is added to a type of the standard library is shown at the protocol that it is added for.
    let own = listed.filter { name in
      names.contains(String(name.prefix { $0 != "." })) && !DocumentationPages.ofTraits.contains { name.hasPrefix($0) }
    }
    #expect(own.subtracting(names).isEmpty, "public, but without a page")

    let pages = Set(try DocumentationPages.paths(of: output + "/Episodic.doccarchive/data/documentation/episodic"))
    #expect(pages.contains("memory"))
    // An operator's page has a name of its own.
    for name in own where name.wholeMatch(of: /[\w.]+/) != nil {
      #expect(pages.contains(name.lowercased().replacing(".", with: "/")), "\(name) has no page")
    }

    let undocumented = graph.symbols.filter { $0.docComment == nil && $0.location != nil }.map(\.name)
    #expect(undocumented.isEmpty, "public, but without a doc comment")
  }
}

/// The build of the documentation.
enum DocumentationPages {
  /// What only a trait builds, which the documentation is built without.
  static let ofTraits = ["Ledger.PasswordCost", "AuditSigningKey", "AuditHead.isSigned"]

  static var hasCompiler: Bool {
    #if os(macOS)
      true
    #else
      (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
        FileManager.default.isExecutableFile(atPath: "\($0)/docc")
      }
    #endif
  }

  /// The paths of the pages, such as `episode/status/active`: without arguments and what DocC adds to names that are alike.
  static func paths(of archive: String) throws -> [String] {
    let found = FileManager.default.enumerator(atPath: archive)?.compactMap { $0 as? String } ?? []
    return found.filter { $0.hasSuffix(".json") }.map { page in
      page.dropLast(5).lowercased().replacing(/-swift\.[a-z.]+/, with: "").replacing(/(\(|-[0-9a-z]+$).*$/, with: "")
    }
  }

  static func build(into output: String) throws -> (status: Int32, text: String) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = Documentation.root.appending(path: ".ci/docs")
    process.arguments = [Child.products.path(percentEncoded: false), output]
    (process.standardOutput, process.standardError) = (pipe, pipe)
    try process.run()
    let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }
}

/// What the compiler writes of a module's symbols.
struct SymbolGraph: Decodable {
  struct Symbol: Decodable {
    let pathComponents: [String]
    let docComment: Comment?
    let location: Location?

    /// The path without the labels of arguments, as `PublicNames.txt` has it.
    var name: String {
      pathComponents.map { component in component.firstIndex(of: "(").map { String(component[..<$0]) } ?? component }
        .joined(separator: ".")
    }
  }

  struct Comment: Decodable {
    let lines: [Line]
  }

  struct Line: Decodable { let text: String }

  struct Location: Decodable { let uri: String }

  let symbols: [Symbol]
}
