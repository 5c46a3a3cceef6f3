import Foundation
import Testing

/// The public names of the library are a checked-in list, so that a change of the API is a change of `PublicNames.txt`.
@Suite struct `Public names` {
  /// What `import Episodic` shows.
  static let targets = ["StoreValues", "Learning", "EpisodicMemory", "AgentLedger", "Interchange", "Episodic"]

  static let list = "Tests/EpisodicTests/PublicNames.txt"
  static let command = "UPDATE_PUBLIC_NAMES=1 swift test --filter PublicNamesTests"

  @Test func `the public names are those of the list`() throws {
    var names: Set<String> = []
    for target in Self.targets { names.formUnion(try Self.publicNames(of: target)) }
    let found = names.sorted().joined(separator: "\n") + "\n"
    if ProcessInfo.processInfo.environment["UPDATE_PUBLIC_NAMES"] != nil {
      try found.write(to: Documentation.root.appending(path: Self.list), atomically: true, encoding: .utf8)
    }
    let listed = Set(try Documentation.text(Self.list).split(separator: "\n").map(String.init))
    #expect(names.subtracting(listed).isEmpty, "not in \(Self.list); \(Self.command) writes it")
    #expect(listed.subtracting(names).isEmpty, "only in \(Self.list); \(Self.command) writes it")
  }

  @Test func `targets that are not exported declare nothing public but the metric of a space`() throws {
    // A library of its own, which is imported by its name.
    let exported = Set(Self.targets + ["LedgerHTTP"])
    for target in Layers.allowed.keys.sorted() where !exported.contains(target) {
      let names = try Self.publicNames(of: target).filter { !($0 == "Metric" || $0.hasPrefix("Metric.")) }
      #expect(names.isEmpty, "\(target)")
    }
  }

  @Test func `names are found in types, extensions and cases`() {
    let code = """
      /// public struct Not {}
      public struct A<T>: Sendable {
        public enum B { case one(of: Int, at: Int), two
          package func hidden() {} }
        public var text = "public let no"
        var hidden: Int { let public = 1; return `public` }
      }
      extension A.B {
        @discardableResult
        public static func made() -> Int { 1 }
        struct Inner { let x = 1 }
      }
      package protocol P { func f() }
      public protocol Q {
        func f()
      }
      """
    #expect(
      Self.publicNames(in: code) == ["A", "A.B", "A.B.made", "A.B.one", "A.B.two", "A.text", "Q", "Q.f"])
  }

  private static func publicNames(of target: String) throws -> Set<String> {
    try Layers.files(of: target).values.reduce(into: []) { $0.formUnion(publicNames(in: $1)) }
  }

  /// The paths of the public declarations, and of the cases and requirements of public types; without overloads.
  private static func publicNames(in text: String) -> Set<String> {
    var names: Set<String> = []
    /// The types around the line, each with the depth of its braces.
    var types: [(name: String, isPublicEnum: Bool, isPublicProtocol: Bool, depth: Int)] = []
    var depth = 0
    for line in FolderUses.code(text).split(separator: "\n") {
      let isPublic = line.contains(/^ *(?:@\w+(?:\([^)]*\))? )*(?:\w+ )*?(?:public|open) [a-z]/)
      let path = types.map(\.name).joined(separator: ".")
      func add(_ name: Substring) { names.insert(path.isEmpty ? String(name) : "\(path).\(name)") }
      let isMember = depth == (types.last?.depth ?? 0)
      if isMember, let type = line.firstMatch(of: /\b(struct|class|enum|protocol|actor|extension) ([A-Z][\w.]*)/),
        !line.contains(/\bclass (?:func|var)\b|\bimport\b/)
      {
        if isPublic { add(type.2) }
        if line.contains("{"), !line.hasSuffix("}") || line.contains(/\{ *case/) {
          types.append(
            (String(type.2), isPublic && type.1 == "enum", isPublic && type.1 == "protocol", depth + 1))
        }
      } else if isMember, isPublic || types.last?.isPublicProtocol == true,
        let member = line.firstMatch(of: /\b(?:func|var|let|typealias|associatedtype) (`?\w+`?|[^\w\s(]+)/)
      {
        add(member.1)
        if let second = line.firstMatch(of: /\blet \w+: \w+, (\w+):/) { add(second.1) }
      } else if isMember, isPublic, let member = line.firstMatch(of: /\b(init|subscript)\b/) {
        add(member.1)
      }
      // What a case carries may have labels, which are no names of cases.
      let bare = line.replacing(/\([^)]*\)/, with: "")
      if isMember, let type = types.last, type.isPublicEnum, let cases = bare.firstMatch(of: /\bcase ([a-z`][^{}:=]*)/)
      {
        let inside = types.map(\.name).joined(separator: ".")
        for name in cases.1.split(separator: ",") {
          names.insert("\(inside).\(name.trimmingCharacters(in: .whitespaces))")
        }
      }
      depth += line.count { $0 == "{" } - line.count { $0 == "}" }
      while let type = types.last, depth < type.depth { types.removeLast() }
    }
    return names
  }
}
