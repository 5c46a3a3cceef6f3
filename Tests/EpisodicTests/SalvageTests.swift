import Episodic
import FileLocks
import Foundation
import GRDB
import TestSupport
import Testing

private func failure(_ body: () async throws -> Void) async -> MemoryError? {
  do { try await body() } catch { return error as? MemoryError }
  return nil
}

/// A store with content of every kind, closed, and a damaged copy of it.
struct SalvageCase {
  static let tables = [
    "episodes", "steps", "patterns", "episode_patterns", "embeddings", "idempotency_keys",
  ]
  let directory: TemporaryDirectory
  let key = StoreKey.random()
  var original: String { directory.file("original") }
  var damaged: String { directory.file("damaged") }
  var salvaged: String { directory.file("salvaged") }

  init(encrypting domains: [String] = []) async throws {
    directory = try TemporaryDirectory()
    var options = Memory.OpenOptions()
    options.cache.isEnabled = false
    options.index.isEnabled = false
    options.durability = .normal
    options.key = .key(key)
    let memory = try await Memory.open(at: original, options: options)
    for domain in domains { try await memory.encrypt(domain: domain) }
    var generator = SeededGenerator(seed: 7)
    for number in 0..<100 {
      // Every eighth needs overflow pages.
      let long = number % 8 == 0 ? String(repeating: "text of episode \(number) ", count: 600) : ""
      let steps = (0..<Int.random(in: 1...9, using: &generator)).map { step in
        "run test_\(number)_\(step) " + (step == 7 ? String(repeating: "output \(number) ", count: 900) : "größer")
      }
      let episode = Episode.sample(
        Episode.ID("episode-\(number)"), domain: ["web", "api", "ops"][number % 3],
        context: "Fix parseHTTPHeader number \(number) \(long)", steps: steps, at: 1_790_000_000_000 + Int64(number))
      try await memory.insert([episode])
      let vector = (0..<(number % 16 == 0 ? 1536 : 64)).map { Float((number * 31 + $0 * 7) % 97) + 1 }
      try await memory.embed(
        .init(of: episode.id, content: "vector \(number)", vector: vector, model: number % 16 == 0 ? "large" : "small"))
    }
    for number in 0..<30 {
      let pattern = try await memory.record(
        Pattern.Draft(.toolSequence, data: ["tools": ["grep", "edit"], "number": .integer(Int64(number))]))
      try await memory.link(pattern.id, to: Episode.ID("episode-\(number * 3)"))
    }
    for number in 0..<5 {
      _ = try await memory.record(
        Pattern.Draft(.optimization, data: ["number": .integer(Int64(number))], domain: "web"))
    }
    _ = try await memory.begin(
      .init(.testing, domain: "ops", context: "begun once", id: "begun"), idempotencyKey: "key")
    // Free pages, some with what is left of deleted rows.
    for number in 92..<100 { try await memory.delete(Episode.ID("episode-\(number)")) }
    try await memory.close()
    try FileManager.default.createDirectory(atPath: damaged, withIntermediateDirectories: true)
  }

  static func rows(of directory: String) throws -> [String: [String: Row]] {
    let queue = try DatabaseQueue(path: directory + "/memory.sqlite")
    defer { try? queue.close() }
    return try queue.read { db in
      var all: [String: [String: Row]] = [:]
      for table in tables {
        for row in try Row.fetchAll(db, sql: "SELECT * FROM \(table)") {
          let key: String =
            switch table {
            case "episode_patterns": "\(row["episode_id"] as String)|\(row["pattern_id"] as String)"
            case "idempotency_keys": row["key"]
            case "settings": row["name"]
            default: String(row["seq"] as Int64)
            }
          all[table, default: [:]][key] = row
        }
      }
      return all
    }
  }

  /// Ids of rows that were set aside.
  static func orphans(of directory: String) throws -> Set<String> {
    let queue = try DatabaseQueue(path: directory + "/memory.sqlite")
    defer { try? queue.close() }
    return try queue.read { db in
      try Set(
        String.fetchAll(
          db,
          sql: """
            SELECT coalesce(content ->> 'id', (content ->> 'episode_id') || '|' || (content ->> 'pattern_id'))
            FROM orphans_kept
            """))
    }
  }
}

/// Damage of one kind at places that a seed chooses.
struct Damage: CustomTestStringConvertible {
  enum Kind: CaseIterable {
    case zeroedPages, randomPages, swappedPages, cut, header, schema, interiorPages, structure, bytes
  }
  let kind: Kind
  let seed: UInt64

  init(seed: UInt64) {
    self.seed = seed
    kind = Kind.allCases[Int(seed % UInt64(Kind.allCases.count))]
  }

  var testDescription: String { "\(kind) \(seed)" }

  /// Damages the bytes.
  ///
  /// - Returns: The pages that were touched.
  func apply(to bytes: inout [UInt8], _ file: UndamagedFile) -> Set<Int> {
    var generator = SeededGenerator(seed: seed)
    let size = file.pageSize
    var touched: Set<Int> = []
    func anyPage() -> Int { Int.random(in: 1...file.pageCount, using: &generator) }
    func fill(_ page: Int, with byte: () -> UInt8) {
      touched.insert(page)
      for place in (page - 1) * size..<page * size { bytes[place] = byte() }
    }
    switch kind {
    case .zeroedPages: for _ in 0..<Int.random(in: 1...12, using: &generator) { fill(anyPage()) { 0 } }
    case .randomPages:
      for _ in 0..<Int.random(in: 1...12, using: &generator) {
        let page = anyPage()
        fill(page) { UInt8.random(in: 0...255, using: &generator) }
      }
    case .swappedPages:
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let (a, b) = (anyPage(), anyPage())
        touched.formUnion([a, b])
        for place in 0..<size { bytes.swapAt((a - 1) * size + place, (b - 1) * size + place) }
      }
    case .cut:
      let kept = Int.random(in: bytes.count / 4..<bytes.count, using: &generator)
      bytes.removeLast(bytes.count - kept)
      touched = Set(kept / size + 1...file.pageCount)
    case .header:
      touched.insert(1)
      for place in 0..<100 where Bool.random(using: &generator) {
        bytes[place] = UInt8.random(in: 0...255, using: &generator)
      }
    case .schema:
      fill(1) { UInt8.random(in: 0...255, using: &generator) }
    case .interiorPages:
      for page in 1...file.pageCount where [2, 5].contains(bytes[(page - 1) * size]) && Bool.random(using: &generator) {
        fill(page) { 0 }
      }
    case .structure:
      // Headers and places of cells; of other pages, the number of the next.
      for _ in 0..<Int.random(in: 1...20, using: &generator) {
        let page = anyPage()
        let isTree = page == 1 || [2, 5, 10, 13].contains(file.page(page).first ?? 0)
        touched.insert(page)
        bytes[(page - 1) * size + Int.random(in: 0..<(isTree ? 24 : 4), using: &generator)] = UInt8.random(
          in: 0...255, using: &generator)
      }
    case .bytes:
      for _ in 0..<Int.random(in: 1...40, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        touched.insert(place / size + 1)
        bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      }
    }
    return touched
  }
}

@Suite struct `Salvage` {
  /// One of each kind, and damages that a salvage once got wrong.
  private static let seeds: [UInt64] = Array(0..<9) + [38, 124]

  /// With `EPISODIC_DAMAGES=200` so many.
  @Test func `brings back every intact row of damaged primaries, and invents none`() async throws {
    let count = ProcessInfo.processInfo.environment["EPISODIC_DAMAGES"].flatMap(UInt64.init)
    let seeds = count.map { Array(0..<$0) } ?? Self.seeds
    let store = try await SalvageCase()
    let original = try SalvageCase.rows(of: store.original)
    let file = try UndamagedFile(
      path: store.original + "/memory.sqlite",
      tables: ["episodes", "steps", "patterns", "embeddings", "episode_patterns"])
    #expect(file.pages.count > 500)
    var (intactRows, backRows, asideRows, changedRows, lostRows) = (0, 0, 0, 0, 0)
    for seed in seeds {
      let damage = Damage(seed: seed)
      var bytes = file.bytes
      let touched = damage.apply(to: &bytes, file)
      let database = URL(filePath: store.damaged + "/memory.sqlite")
      try Data(bytes).write(to: database)
      try? FileManager.default.removeItem(atPath: store.salvaged)
      let report = try await Memory.salvage(from: store.damaged, to: store.salvaged)
      // Only read.
      #expect(try Data(contentsOf: database) == Data(bytes))
      #expect(report.failedChecks.isEmpty, "\(damage.testDescription): \(report.failedChecks)")
      let back = try SalvageCase.rows(of: store.salvaged)
      let aside = try SalvageCase.orphans(of: store.salvaged)
      for (place, pages) in file.pages where pages.isDisjoint(with: touched) {
        intactRows += 1
        let row = try #require(original[place.table]?[place.key])
        if let found = back[place.table]?[place.key] {
          #expect(found == row, "\(damage.testDescription): \(place)")
        } else {
          let id = place.table == "episode_patterns" ? place.key : row["id"] as String
          // Whatever it belongs to was not intact.
          #expect(
            aside.contains(id) || place.table == "episode_patterns",
            "\(damage.testDescription): intact \(place) on pages \(pages.sorted()) is lost")
          asideRows += 1
        }
      }
      for (table, rows) in back {
        for (key, row) in rows {
          backRows += 1
          if original[table]?[key] == row { continue }
          // A byte changed in a text that still is one: SQLite has no checksum. Overflow pages changed places: the pointer map,
          // which is page 2, tells it, unless it changed its place too or the pages are the last of their chains. A changed episode
          // that is recognised is listed. Nothing else may differ.
          changedRows += 1
          let pages = file.pages[.init(table: table, key: key)]
          let isListed = report.losses.contains {
            $0.table == table && $0.reason.hasPrefix("row \(key): its text was changed")
          }
          let areLast =
            pages?.intersection(touched).allSatisfy { file.page($0).prefix(4).allSatisfy { $0 == 0 } } == true
          let isUntold = damage.kind == .swappedPages && (areLast || touched.contains(2))
          #expect(
            (damage.kind == .bytes || isUntold || isListed) && pages.map { !$0.isDisjoint(with: touched) } != false,
            "\(damage.testDescription): \(table) \(key) was not there so; listed: \(isListed)")
        }
      }
      lostRows += report.lossCount
      // What is not back is reported.
      let total = original.values.reduce(0) { $0 + $1.count }
      if back.values.reduce(0, { $0 + $1.count }) < total { #expect(!report.isComplete, "\(damage.testDescription)") }
    }
    print(
      "salvaged from \(seeds.count) damages: \(intactRows) intact rows, \(backRows) back, \(asideRows) set aside, "
        + "\(changedRows) with a changed byte, \(lostRows) losses reported")
  }

  @Test func `of an undamaged store is complete, and the new store answers the same`() async throws {
    let store = try await SalvageCase()
    let report = try await Memory.salvage(from: store.original, to: store.salvaged)
    #expect(report.isComplete && report.losses.isEmpty && report.doubtful == 0, "\(report.losses)")
    let rows = try SalvageCase.rows(of: store.original)
    #expect(try SalvageCase.rows(of: store.salvaged) == rows)
    #expect(report.tables.first { $0.name == "steps" }?.salvaged == rows["steps"]?.count)
    let memory = try await Memory.open(at: store.salvaged)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name): \(check.outcome)") }
    let hits = try await memory.recall(Query(text: "parse http header number 3", scope: .domain("web")))
    #expect(hits.first?.episode.id == "episode-3")
  }

  @Test(arguments: EarlierStoreFixture.versions) func `of a store of an earlier schema brings back all of it`(
    _ version: Int
  ) async throws {
    let earlier = try EarlierStoreFixture(version: version)
    let before = try EarlierStoreFixture.rows(of: earlier.database)
    let target = earlier.directory.file("salvaged")
    let report = try await Memory.salvage(from: earlier.path, to: target)
    #expect(report.failedChecks.isEmpty && report.losses.isEmpty, "\(report)")
    EarlierStoreFixture.expectNothingLost(before, try EarlierStoreFixture.rows(of: target + "/memory.sqlite"))
    #expect(try EarlierStoreFixture.schemaVersion(of: earlier.database) == version)
  }

  @Test func `has what the log has committed, and not what it has not`() async throws {
    let store = try await SalvageCase()
    let memory = try await Memory.open(at: store.original)
    try await memory.insert([.sample("in-the-log", steps: ["a step in the log"])])
    // By another process, since this one has the files open.
    let copy = try Child(
      running: "/bin/sh",
      ["-c", "cp \"$1\"/memory.sqlite \"$1\"/memory.sqlite-wal \"$2\"", "sh", store.original, store.damaged],
      in: store.directory)
    #expect(copy.wait() == 0)
    try await memory.close()
    // The first frame of a transaction that was never committed.
    let log = URL(filePath: store.damaged + "/memory.sqlite-wal")
    var bytes = try Data(contentsOf: log)
    bytes.append(bytes[32..<32 + 24 + 4096])
    try bytes.write(to: log)
    // The database file itself lacks its first page.
    let database = URL(filePath: store.damaged + "/memory.sqlite")
    var content = try Data(contentsOf: database)
    content.replaceSubrange(0..<4096, with: Data(count: 4096))
    try content.write(to: database)
    let report = try await Memory.salvage(from: store.damaged, to: store.salvaged)
    #expect(report.logFrames > 0 && report.unusedLogFrames == 1)
    let back = try SalvageCase.rows(of: store.salvaged)
    #expect(back["episodes"]?.values.contains { $0["id"] == "in-the-log" } == true)
    #expect(back == (try SalvageCase.rows(of: store.original)))
  }

  @Test func `finds the log that a killed restore has moved aside before the database`() async throws {
    let store = try await SalvageCase()
    let memory = try await Memory.open(at: store.original)
    try await memory.insert([.sample("in-the-log")])
    // As a restore over a damaged store leaves it that is killed just before the new one takes its name.
    let copy = try Child(
      running: "/bin/sh",
      [
        "-c",
        """
        set -e; mkdir -m 700 "$2"/backups; replaced="$2"/backups/replaced-20260131T120000Z.sqlite
        cp "$1"/memory.sqlite "$2"; ln "$2"/memory.sqlite "$replaced"; cp "$1"/memory.sqlite-wal "$replaced"-wal
        """, "sh", store.original, store.damaged,
      ], in: store.directory)
    #expect(copy.wait() == 0)
    try await memory.close()
    let findings = try await Memory.diagnose(at: store.damaged, options: .init()).findings
    #expect(
      findings.contains { $0.code == "hard-links" && $0.meaning.contains("replaced-20260131T120000Z.sqlite") },
      "\(findings)")
    let report = try await Memory.salvage(from: store.damaged, to: store.salvaged)
    #expect(report.logFrames > 0)
    #expect(try SalvageCase.rows(of: store.salvaged) == SalvageCase.rows(of: store.original))
  }

  @Test func `leaves a store alone that has the name of its draft`() async throws {
    let store = try await SalvageCase()
    let draft = store.salvaged + ".partial"
    try FileManager.default.copyItem(atPath: store.original, toPath: draft)
    let refused = await failure { _ = try await Memory.salvage(from: store.original, to: store.salvaged) }
    #expect(refused?.code == .conflict && refused?.message.contains(draft) == true, "\(refused?.message ?? "")")
    #expect(try SalvageCase.rows(of: draft) == SalvageCase.rows(of: store.original))
    try FileManager.default.removeItem(atPath: draft)
    _ = try await Memory.salvage(from: store.original, to: store.salvaged)
    let names = try FileManager.default.contentsOfDirectory(atPath: store.salvaged)
    #expect(!names.contains { $0.contains("salvage") }, "\(names)")
  }

  // Unbounded it takes days.
  @Test(.timeLimit(.minutes(30))) func `ends although every cell of every page claims one long chain of pages`()
    async throws
  {
    let store = try await SalvageCase()
    let database = URL(filePath: store.damaged + "/memory.sqlite")
    var bytes = try [UInt8](Data(contentsOf: URL(filePath: store.original + "/memory.sqlite")))
    let (size, first) = (4096, bytes.count / 4096 + 1)
    let last = first + 1999
    // Leaves whose seven cells are one row of 8 MB, the chain of which begins and stays in the last page.
    func number(_ page: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: page >> $0) } }
    for page in first...last {
      var leaf = [UInt8](repeating: 0, count: size)
      leaf.replaceSubrange(0..<8, with: [13, 0, 0, 0, 7, 0, 27, 0])
      for cell in 0..<7 { leaf.replaceSubrange(8 + 2 * cell..<10 + 2 * cell, with: [0, 27]) }
      leaf.replaceSubrange(27..<32, with: [0x83, 0xF3, 0xE1, 28, 5])
      leaf.replaceSubrange(size - 4..<size, with: number(last))
      bytes += page == last ? number(last) + [UInt8](repeating: 7, count: size - 4) : leaf
    }
    try Data(bytes).write(to: database)
    let report = try await Memory.salvage(from: store.damaged, to: store.salvaged)
    #expect(report.pages > 2000)
    let (back, rows) = (try SalvageCase.rows(of: store.salvaged), try SalvageCase.rows(of: store.original))
    #expect(back["steps"]?.count == rows["steps"]?.count)
  }

  @Test func `refuses a store that is in use, a target that exists, and what is no store`() async throws {
    let store = try await SalvageCase()
    let memory = try await Memory.open(at: store.original)
    let inUse = await failure { _ = try await Memory.salvage(from: store.original, to: store.salvaged) }
    #expect(inUse?.code == .busy)
    #expect(try await memory.episode("episode-1") != nil)
    try await memory.close()
    let exists = await failure { _ = try await Memory.salvage(from: store.original, to: store.original) }
    #expect(exists?.code == .conflict && exists?.message.contains(store.original) == true)
    let missing = await failure { _ = try await Memory.salvage(from: store.directory.file("none"), to: store.salvaged) }
    #expect(missing?.code == .notAStore)
    try Data((0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }).write(
      to: URL(filePath: store.damaged + "/memory.sqlite"))
    let foreign = await failure { _ = try await Memory.salvage(from: store.damaged, to: store.salvaged) }
    #expect(foreign?.code == .corrupted)
    #expect(!FileManager.default.fileExists(atPath: store.salvaged))
    #expect(!FileManager.default.fileExists(atPath: store.salvaged + ".partial"))
  }

  @Test func `what a killed salvage left is removed by the next, and nothing else`() async throws {
    let store = try await SalvageCase()
    let draft = store.salvaged + ".partial"
    try FileManager.default.createDirectory(
      atPath: draft, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    try Data("cut".utf8).write(to: URL(filePath: draft + "/memory.sqlite"))
    try Data().write(to: URL(filePath: draft + "/memory.sqlite-salvage"))
    try Data("mine".utf8).write(to: URL(filePath: draft + "/notes.txt"))
    let foreign = await failure { _ = try await Memory.salvage(from: store.original, to: store.salvaged) }
    #expect(foreign?.code == .conflict && foreign?.message.contains("notes.txt") == true)
    try FileManager.default.removeItem(atPath: draft + "/notes.txt")
    let lock = FileLock(try OpenFile<FileError>.directory(draft))
    #expect(try lock.tryLock(.exclusive))
    let held = await failure { _ = try await Memory.salvage(from: store.original, to: store.salvaged) }
    #expect(held?.code == .conflict && held?.message.contains(draft) == true)
    lock.unlock()
    _ = try await Memory.salvage(from: store.original, to: store.salvaged)
    #expect(!FileManager.default.fileExists(atPath: draft))
    #expect(try SalvageCase.rows(of: store.salvaged) == SalvageCase.rows(of: store.original))
  }
}
