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
    // Both name operators and subscripts alike.
    #expect(listed.subtracting(names).isEmpty, "public, but without a page")

    let pages = Set(
      (FileManager.default.enumerator(atPath: output + "/Episodic.doccarchive/data/documentation/episodic")?
        .compactMap { $0 as? String } ?? []).map { $0.lowercased() })
    #expect(pages.contains("memory.json"))
    for type in Set(listed.map { $0.prefix { $0 != "." } }) {
      #expect(pages.contains("\(type.lowercased()).json"), "\(type) has no page")
    }
  }
}

/// The build of the documentation.
enum DocumentationPages {
  static var hasCompiler: Bool {
    #if os(macOS)
      true
    #else
      (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
        FileManager.default.isExecutableFile(atPath: "\($0)/docc")
      }
    #endif
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
