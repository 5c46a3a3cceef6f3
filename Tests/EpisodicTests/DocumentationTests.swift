import Foundation
import Testing

/// The texts of the documentation, held to the code. `ProgramTests` runs the programs in them.
@Suite struct `Documentation` {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// Memory.swift shows every verb on one screen.
  @Test func `Memory lists every public verb, and each where it says`() throws {
    let memory = try Self.text("Sources/EpisodicMemory/Memory.swift")
    #expect(memory.split(separator: "\n", omittingEmptySubsequences: false).count <= 72)
    let files = ["EpisodicMemory", "Interchange"].flatMap { target in
      (FileManager.default.enumerator(
        atPath: Self.root.appending(path: "Sources/\(target)").path(percentEncoded: false))?
        .compactMap { $0 as? String } ?? []).filter { $0.contains("/Memory+") || $0.hasPrefix("Memory+") }.map {
          (target: target, file: $0)
        }
    }
    #expect(files.count >= 6)
    for (target, file) in files {
      let verbs = try Self.text("Sources/\(target)/\(file)").matches(of: /public func (\w+)/).map { String($0.1) }
      guard !verbs.isEmpty else { continue }
      let section = try #require(
        memory.components(separatedBy: "## ").first { $0.contains(file) }, "\(file) is not listed")
      for verb in verbs { #expect(section.contains("``\(verb)("), "\(verb) of \(file) is not listed") }
    }
  }
}
