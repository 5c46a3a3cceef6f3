import Foundation
import Testing

/// Inside a target the folders form no cycle: what is in one folder uses types of the folders below it and of no other.
///
/// A folder uses another if one of its files names a type that is declared in the other, comments and strings aside. Only
/// types at file level count, since a nested type is named through them. A name that several folders declare at file level,
/// or that the folder itself declares, does not tell which type is meant and does not count.
@Suite struct `Folders` {
  /// The type whose extensions stand in the folder of their topic and belong to the top of the target all the same.
  static let facades = ["EpisodicMemory": "Memory", "AgentLedger": "Ledger"]

  /// The facade in which the types of a target are nested: naming it is no use of the top.
  static let namespaces = ["AgentLedger": "Ledger"]

  @Test(arguments: Layers.allowed.keys.sorted()) func `the folders of a target form no cycle`(_ target: String) throws {
    let cycle = try FolderUses(of: target, facade: Self.facades[target], namespace: Self.namespaces[target]).cycle()
    #expect(cycle == nil, "\(target): \(cycle ?? "")")
  }

  @Test func `a cycle is found, and named with a file and a type for each direction`() {
    let uses = FolderUses(files: [
      "A/One.swift": "struct One { let two: Two }", "B/Two.swift": "package enum Two {}\nextension One {}",
      "C/Three.swift": "// One\nstruct Three { let text = \"Two\" }",
    ])
    #expect(uses.cycle() == "A uses B (One.swift names Two) and B uses A (Two.swift names One)")
    #expect(
      FolderUses(files: ["A/One.swift": "struct One {}", "B/Two.swift": "struct Two { let one: One }"]).cycle() == nil)
  }
}

/// Which folder of a target names types of which other, and where.
struct FolderUses {
  private struct Witness {
    let file: String
    let type: String
  }

  private var uses: [String: [String: Witness]] = [:]

  init(of target: String, facade: String?, namespace: String?) throws {
    var files: [String: String] = [:]
    for (path, text) in try Layers.files(of: target) {
      let name = path.split(separator: "/").last.map(String.init) ?? path
      let isFacade = facade.map { name.hasPrefix("\($0)+") } ?? false
      files[isFacade ? name : path] = text
    }
    self.init(files: files, namespace: namespace)
  }

  /// - Parameter files: Swift code by path in the target.
  init(files: [String: String], namespace: String? = nil) {
    let code = files.mapValues(Self.code)
    var owners: [String: Set<String>] = [:]
    var declared: [String: Set<String>] = [:]
    for (path, code) in code {
      let folder = Self.folder(of: path)
      for match in code.matches(of: /(?m)^( *)(?:@\w+ |\w+ )*(?:struct|class|enum|protocol|actor|typealias) (\w+)/) {
        declared[folder, default: []].insert(String(match.2))
        if match.1.isEmpty { owners[String(match.2), default: []].insert(folder) }
      }
    }
    for (path, code) in code.sorted(by: { $0.key < $1.key }) {
      let folder = Self.folder(of: path)
      for name in Set(code.matches(of: /\b[A-Z]\w*/).map { String($0.0) }).sorted() {
        guard name != namespace, declared[folder]?.contains(name) != true, let owner = owners[name], owner.count == 1,
          let other = owner.first, uses[folder]?[other] == nil
        else { continue }
        uses[folder, default: [:]][other] = Witness(
          file: path.split(separator: "/").last.map(String.init) ?? path, type: name)
      }
    }
  }

  /// A cycle of folders, each step with a file and the type it names; `nil` if there is none.
  func cycle() -> String? {
    var finished: Set<String> = []
    for folder in uses.keys.sorted() {
      if let path = cycle(from: folder, [], &finished) {
        return zip(path, path.dropFirst() + path.prefix(1)).compactMap { a, b in
          uses[a]?[b].map { "\(a) uses \(b) (\($0.file) names \($0.type))" }
        }.joined(separator: " and ")
      }
    }
    return nil
  }

  private func cycle(from folder: String, _ path: [String], _ finished: inout Set<String>) -> [String]? {
    if let start = path.firstIndex(of: folder) { return Array(path[start...]) }
    guard !finished.contains(folder) else { return nil }
    for next in (uses[folder] ?? [:]).keys.sorted() {
      if let found = cycle(from: next, path + [folder], &finished) { return found }
    }
    finished.insert(folder)
    return nil
  }

  private static func folder(of path: String) -> String {
    let parts = path.split(separator: "/").dropLast()
    return parts.isEmpty ? "the top" : parts.joined(separator: "/")
  }

  /// The text without comments and without what stands in strings.
  static func code(_ text: String) -> String {
    text.replacing(/"""(?s:.*?)"""/, with: "").replacing(/\/\/[^\n]*/, with: "")
      .replacing(/\/\*(?s:.*?)\*\//, with: "").replacing(/"(?:\\.|[^"\\\n])*"/, with: "")
  }
}
