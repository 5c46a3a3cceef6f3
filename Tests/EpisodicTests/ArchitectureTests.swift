import Episodic
import Foundation
import GRDB
import TestSupport
import Testing

@testable import MemoryLMDB

/// Holds the DocC page Architecture to the code, the files and the tables.
@Suite struct `Architecture` {
  static let page = "Sources/Episodic/Episodic.docc/Architecture.md"

  /// The cells of the table rows under a heading, without the head of the table.
  static func rows(under heading: String) throws -> [[String]] {
    let text = try Documentation.text(page)
    var isInside = false
    var rows: [[String]] = []
    for line in text.components(separatedBy: "\n") {
      if line.hasPrefix("#") { isInside = line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces) == heading }
      guard isInside, line.hasPrefix("| "), !line.hasPrefix("| ---") else { continue }
      rows.append(line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) })
    }
    try #require(rows.count > 1, "\(page) has no table under \(heading)")
    return Array(rows.dropFirst())
  }

  static func quoted(_ cell: String) -> [String] { cell.matches(of: /`([^`]+)`/).map { String($0.1) } }

  static func source(_ path: String) -> String? {
    try? String(contentsOf: Layers.sources.appending(path: path), encoding: .utf8)
  }

  @Test func `every target stands on one floor`() throws {
    let placed = try Self.rows(under: "Floors").flatMap { Self.quoted($0[1]) }
    let targets = try FileManager.default.contentsOfDirectory(
      atPath: Layers.sources.path(percentEncoded: false))
    #expect(placed.sorted() == targets.sorted())
  }

  @Test func `a target imports what stands on a lower floor, and a mechanism besides what Architecture names`() throws {
    let floors = try Self.rows(under: "Floors").map { Set(Self.quoted($0[1])) }
    let base: Set = ["ByteCoding", "FileLocks", "LMDBVerifier"]
    for (target, imports) in Layers.allowed {
      let floor = try #require(floors.firstIndex { $0.contains(target) })
      let beside = imports.intersection(floors[...floor].reduce([]) { $0.union($1) })
      #expect(beside.isSubset(of: base), "\(target) imports \(beside.sorted())")
    }
  }

  static let ways = [
    "A cached read", "A fill", "A write", "A hybrid recall", "A follow-up of the index",
  ]

  @Test(arguments: ways) func `each function on the way of a call stands in its file`(_ way: String) throws {
    for (place, row) in try Self.rows(under: way).enumerated() {
      #expect(row[0] == "\(place + 1)", "\(way): hop \(row[0]) is number \(place + 1)")
      let function = try #require(Self.quoted(row[1]).first)
      let file = try #require(Self.quoted(row[2]).first)
      let source = try #require(Self.source(file), "\(way): there is no file \(file)")
      let parts = function.split(separator: "(")[0].split(separator: ".")
      let (type, name) = (parts.dropLast().last.map(String.init), String(try #require(parts.last)))
      let declaration = name == "init" ? "init" : "func \(name)"
      #expect(
        source.firstRange(of: declaration) != nil || source.contains("var \(name)"), "\(file) has no \(function)")
      if let type {
        #expect(
          source.firstMatch(of: try Regex("(struct|class|enum|protocol|actor|extension) ([A-Za-z]+\\.)*\(type)\\b"))
            != nil,
          "\(file) has nothing of \(type)")
      }
    }
  }

  @Test func `every file of a store is listed, and every file listed as kept is there`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert([.sample("e")])
    _ = try await memory.episode("e")
    _ = try await memory.recall(Query(text: "word", scope: .everything))
    let found = Set(
      FileManager.default.enumerator(atPath: store.path)?.compactMap { $0 as? String }
        .filter { path in
          var isDirectory: ObjCBool = false
          return FileManager.default.fileExists(atPath: store.path + "/" + path, isDirectory: &isDirectory)
            && !isDirectory.boolValue
        } ?? [])
    let rows = try Self.rows(under: "The store directory")
    let listed = Set(rows.flatMap { Self.quoted($0[0]) })
    #expect(found.isSubset(of: listed), "not listed: \(found.subtracting(listed).sorted())")
    let rare: Set = [
      "memory.sqlite-new", "memory.sqlite-maintenance", "memory.sqlite-journal", "memory.sqlite-wal-of-replaced",
      "cache.lmdb/pid-N/", "cache.lmdb/index/pid-N/", "backups/memory-….sqlite", "backups/memory-….sqlite.gz",
      "backups/memory-….json", "backups/replaced-….sqlite", "backups/….partial", "hook.log",
      "sync.json", "mcp-token",
    ]
    #expect(listed.subtracting(rare) == found, "not there: \(listed.subtracting(rare).subtracting(found).sorted())")
    try await memory.close()
  }

  @Test func `the tables of the primary and their columns are those listed`() async throws {
    let store = try Store()
    try await store.fill(1)
    let database = try DatabaseQueue(path: store.path + "/memory.sqlite")
    let found = try await database.read { db in
      let names = try db.namesOfTables()
      return try names.map { name in
        (name, try String.fetchAll(db, sql: "SELECT name FROM pragma_table_info(?)", arguments: [name]))
      }
    }
    let listed = try Self.rows(under: "`memory.sqlite`").map { row in
      // Behind the semicolon stands what the table is for.
      (Self.quoted(row[0])[0], Self.quoted(String(row[1].split(separator: ";")[0])))
    }
    #expect(
      Dictionary(uniqueKeysWithValues: found) == Dictionary(uniqueKeysWithValues: listed))
  }

  @Test func `the databases of the tiers are those listed`() throws {
    for (directory, layout) in [("cache.lmdb", CacheTables.layout), ("cache.lmdb/index", LMDBSearchIndex.layout)] {
      let listed = Set(try Self.rows(under: "`\(directory)/data.mdb`").flatMap { Self.quoted($0[0]) })
      #expect(listed == Set(["meta"] + layout.databases.map(\.name)), "\(directory)")
    }
  }

  @Test(arguments: [
    ("`cache.lmdb/index/data.mdb`", "WordIndex/Key.swift"),
    ("`cache.lmdb/index/data.mdb`", "VectorIndex/VectorTable.swift"),
    ("`cache.lmdb/data.mdb`", "MemoryLMDB/Cache/CacheEntry.swift"),
  ]) func `kinds of keys and offsets of fields are those documented at the type`(
    _ heading: String, _ file: String
  ) throws {
    let source = try #require(Self.source(file))
    let documented = source.matches(of: /(?m)^\/\/\/ \| (\d+(?: [a-zA-Z]+)?) \|/).map { String($0.1) }
    let listed = Set(try Self.rows(under: heading).map { $0[0] })
    #expect(!documented.isEmpty)
    for row in documented { #expect(listed.contains(row), "\(Self.page) has no row \(row), which \(file) documents") }
  }
}
