import Foundation
import GRDB
import TestSupport
import Testing

@testable import SQLiteStorage

@Suite struct `A damaged database` {
  /// Pages that look like those of trees, with anything in them: whatever stands there is read or refused, and nothing traps.
  @Test(arguments: 0..<8) func `of random pages is read to its end`(_ seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("random.sqlite")
    var generator = SeededGenerator(seed: seed)
    for round in 0..<40 {
      let size = [512, 1024, 4096][round % 3]
      var bytes: [UInt8] = []
      for number in 0..<Int.random(in: 1...24, using: &generator) {
        var page = (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let header = number == 0 ? 100 : 0
        if number == 0 { page.replaceSubrange(0..<16, with: Array("SQLite format 3\0".utf8)) }
        if number == 0 { page.replaceSubrange(16..<18, with: [UInt8(size >> 8), UInt8(size & 255)]) }
        if number == 0, round % 2 == 0 { page.replaceSubrange(20..<100, with: [UInt8](repeating: 0, count: 80)) }
        page[header] = [2, 5, 10, 13].randomElement(using: &generator) ?? 13
        // Few cells, at places that may be right.
        page[header + 3] = 0
        page[header + 4] = UInt8.random(in: 0...12, using: &generator)
        for cell in 0..<12 {
          let place = header + (page[header] < 10 ? 12 : 8) + 2 * cell
          page[place] = UInt8.random(in: 0...UInt8(size >> 8), using: &generator)
        }
        for place in (header + 40)..<size where page[place] > 128 && Bool.random(using: &generator) {
          page[place] &= 31
        }
        bytes += page
      }
      bytes.removeLast(Int.random(in: 0..<64, using: &generator))
      try Data(bytes).write(to: URL(filePath: path))
      try Data(
        (0..<Int.random(in: 0...300, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
      )
      .write(to: URL(filePath: path + "-wal"))
      do {
        let database = try DamagedDatabase(path: path) { rowID, _ in rowID == nil ? "without" : "with" }
        for table in ["with", "without", "sqlite_schema"] {
          for place in database.places(of: table) { _ = database.rows(on: place.page) }
        }
      } catch let error as StorageError {
        guard case .damaged = error else { throw error }
      }
    }
  }

  @Test(arguments: [512, 1024, 4096, 65536]) func `gives all rows, of any size of pages, with their overflow`(
    _ size: Int
  ) throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("rows.sqlite")
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA page_size = \(size); PRAGMA auto_vacuum = \(size == 1024 ? 2 : 0)")
      try db.execute(
        sql: """
          CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT, y REAL, z BLOB);
          CREATE TABLE b (k TEXT PRIMARY KEY, v INTEGER) WITHOUT ROWID;
          WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
          INSERT INTO a SELECT i, printf('%.*c', i * 37 % 5000, 'x'), i / 3.0, randomblob(i % 100) FROM n;
          INSERT INTO b SELECT printf('key %d %.*c', id, id % 800, 'k'), -id * 100000000000 FROM a;
          DELETE FROM a WHERE id % 5 = 0; DELETE FROM b WHERE v % 7 = 0;
          """)
    }
    let (a, b) = try queue.read { db in
      (try Row.fetchAll(db, sql: "SELECT x, y, z FROM a"), try Row.fetchAll(db, sql: "SELECT * FROM b ORDER BY k"))
    }
    try queue.close()
    func values(_ rows: [Row]) -> [[StoredValue]] {
      rows.map { row in
        var values: [StoredValue] = []
        for value in row.databaseValues { values.append(StoredValue(value)) }
        return values
      }
    }
    let expected = (a: values(a), b: values(b))
    let database = try DamagedDatabase(path: path) { rowID, values in
      rowID != nil && values.count == 4 ? "a" : rowID == nil && values.count == 2 ? "b" : nil
    }
    #expect(database.pageSize == size)
    #expect(database.isWhole("a") && database.isWhole("b") && database.lostPages.isEmpty)
    func rows(_ table: String) -> [[StoredValue]] {
      database.places(of: table).flatMap { database.rows(on: $0.page) }.compactMap { found in
        guard case .row(let rowID, let values) = found else { return nil }
        return rowID == nil ? values : Array(values.dropFirst())
      }
    }
    #expect(rows("a") == expected.a)
    // Rows between the pages of the tree come with their page.
    #expect(Set(rows("b")) == Set(expected.b) && rows("b").count == expected.b.count)
  }
}

extension StoredValue {
  /// As SQLite gives it.
  fileprivate init(_ value: DatabaseValue) {
    switch value.storage {
    case .null: self = .null
    case .int64(let value): self = .integer(value)
    case .double(let value):
      // Whole numbers stand as integers.
      self = Int64(exactly: value).map(StoredValue.integer) ?? .real(value)
    case .string(let text): self = .text(Array(text.utf8))
    case .blob(let data): self = .blob(Array(data))
    }
  }
}
