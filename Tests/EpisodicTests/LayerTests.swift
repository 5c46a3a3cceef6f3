import Foundation
import Testing

/// Imports go strictly down. The build's own check allows imports of dependencies' dependencies; this one does not.
@Suite struct `Layers` {
  /// The targets of this package that each target may import, and third parties restricted to some layers.
  static let allowed: [String: Set<String>] = [
    "CachePolicy": ["FileLocks"],
    "FileLocks": ["CFileLocks"],
    "LMDBVerifier": ["FileLocks"],
    "LMDB": ["CLMDB", "FileLocks", "LMDBVerifier"],
    "Vectors": ["CVectors"],
    "ByteCoding": [],
    "Heaps": [],
    "WordScoring": [],
    "Learning": ["ByteCoding"],
    "ProcessSpawning": [],
    "Gzip": ["CZlib", "FileLocks"],
    "VectorIndex": ["ByteCoding", "Heaps", "LMDB", "Vectors"],
    "WordIndex": ["ByteCoding", "Heaps", "LMDB", "WordScoring"],
    "SQLiteStorage": ["ByteCoding", "CSQLite", "FileLocks", "GRDB", "GRDBSQLite"],
    "StoreValues": ["ByteCoding"],
    "StoreRows": ["ByteCoding", "FileLocks", "GRDB", "SQLiteStorage", "StoreValues"],
    "EpisodicMemory": ["ByteCoding", "FileLocks", "Heaps", "Learning", "StoreValues", "Vectors", "WordScoring"],
    "AgentLedger": ["ByteCoding", "FileLocks", "GRDB", "SQLiteStorage", "StoreRows", "StoreValues"],
    "LedgerHTTP": ["AgentLedger", "StoreValues"],
    "MemorySQLite": [
      "ByteCoding", "EpisodicMemory", "FileLocks", "GRDB", "Gzip", "Heaps", "Learning", "SQLiteStorage", "StoreRows",
      "Vectors", "WordScoring",
    ],
    "MemoryLMDB": [
      "ByteCoding", "CachePolicy", "EpisodicMemory", "FileLocks", "Heaps", "LMDB", "VectorIndex", "Vectors",
      "WordIndex",
    ],
    "Interchange": ["EpisodicMemory", "FileLocks", "Vectors"],
    "ContextServer": ["EpisodicMemory"],
    "ContextServerHTTP": ["ByteCoding", "ContextServer", "EpisodicMemory", "FileLocks"],
    "AgentLogs": ["ByteCoding", "EpisodicMemory", "FileLocks", "Interchange"],
    "Episodic": [
      "AgentLedger", "EpisodicMemory", "FileLocks", "Interchange", "MemoryLMDB", "MemorySQLite", "StoreRows", "Vectors",
    ],
    "EpisodicCLI": [
      "AgentLogs", "ContextServer", "ContextServerHTTP", "Episodic", "FileLocks", "ProcessSpawning", "CArrivalOrder",
    ],
  ]

  static let sources = Documentation.root.appending(path: "Sources")

  /// The Swift files of a target, by path in it.
  static func files(of target: String) throws -> [String: String] {
    let folder = sources.appending(path: target)
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path(percentEncoded: false))
    let files = try paths.filter { $0.hasSuffix(".swift") }.map {
      ($0, try String(contentsOf: folder.appending(path: $0), encoding: .utf8))
    }
    try #require(!files.isEmpty, "\(target) has no Swift file")
    return Dictionary(uniqueKeysWithValues: files)
  }

  @Test(arguments: allowed.keys.sorted()) func `a target imports only allowed targets below it`(
    _ target: String
  ) throws {
    let known = Set(Self.allowed.keys).union(Self.allowed.values.flatMap(\.self))
    for (file, text) in try Self.files(of: target) {
      let imports = text.matches(of: /(?m)^(?:@\w+ )?(?:public |package |internal )?import (?:\w+ )?(\w+)/).map {
        String($0.1)
      }
      let forbidden = Set(imports).intersection(known).subtracting(Self.allowed[target] ?? [])
      #expect(forbidden.isEmpty, "\(target)/\(file) imports \(forbidden.sorted())")
    }
  }

  @Test func `every target is listed, and the order has no cycle`() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.sources.path(percentEncoded: false))
    #expect(
      Set(folders)
        == Set(Self.allowed.keys).union(["CArrivalOrder", "CFileLocks", "CLMDB", "CSQLite", "CVectors", "CZlib"]))
    var placed: Set<String> = [
      "CArrivalOrder", "CFileLocks", "CLMDB", "CSQLite", "CVectors", "CZlib", "GRDB", "GRDBSQLite",
    ]
    while let next = Self.allowed.first(where: { !placed.contains($0.key) && $0.value.isSubset(of: placed) }) {
      placed.insert(next.key)
    }
    #expect(placed.isSuperset(of: Self.allowed.keys))
  }

  @Test func `only the door re-exports, and each concept the values that its verbs take`() throws {
    for target in Self.allowed.keys where target != "Episodic" {
      for (file, text) in try Self.files(of: target) {
        let isOfValues = ["EpisodicMemory", "AgentLedger"].contains(target) && file == "Exports.swift"
        let exported = text.matches(of: /@_exported public import (.*)/).map { String($0.1) }
        let values = target == "EpisodicMemory" ? ["StoreValues", "Learning"] : ["StoreValues"]
        #expect(exported == (isOfValues ? values : []), "\(target)/\(file)")
      }
    }
  }
}
