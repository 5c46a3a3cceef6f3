import GRDB
import SQLiteStorage
import Testing

@Suite struct `A raw statement` {
  private func queue() throws -> DatabaseQueue {
    let queue = try DatabaseQueue()
    try queue.write { db in
      try db.execute(
        sql: "CREATE TABLE t (a INTEGER UNIQUE, b TEXT, c BLOB, d REAL); INSERT INTO t (a) VALUES (1), (2)")
    }
    return queue
  }

  @Test func `binds each type, and tells NULL from empty`() throws {
    try queue().write { db in
      var insertion = try RawStatement("INSERT INTO t VALUES (?, ?, ?, ?), (?, ?, ?, ?)", db)
      try insertion.bind(Int64.min)
      try insertion.bind("")
      try insertion.bind(UnsafeRawBufferPointer(start: nil, count: 0))
      try insertion.bind(0.5)
      try insertion.bind(nil as Int64?)
      try insertion.bind(nil as String?)
      try [1, 0, 255].withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in try insertion.bind(bytes) }
      try insertion.bind(nil as Double?)
      try insertion.execute()
      var rows = try RawStatement("SELECT * FROM t WHERE rowid > 2 ORDER BY rowid", db)
      #expect(try rows.step())
      #expect(rows.integer(0) == .min && rows.text(1) == "" && rows.bytes(2).isEmpty && rows.double(3) == 0.5)
      #expect(!rows.isNull(1) && !rows.isNull(2))
      #expect(try rows.step())
      #expect(rows.isNull(0) && rows.isNull(1) && rows.isNull(3) && rows.bytes(1).isEmpty)
      #expect(rows.bytes(2).count == 3 * MemoryLayout<Int>.size)
      #expect(try !rows.step())
    }
  }

  @Test func `can be bound again after an error, which carries SQLite's message`() throws {
    try queue().write { db in
      var insertion = try RawStatement("INSERT INTO t (a) VALUES (?)", db)
      try insertion.bind(1)
      do {
        try insertion.execute()
        Issue.record("the number is taken")
      } catch let error as DatabaseError {
        #expect(error.resultCode == .SQLITE_CONSTRAINT && error.message?.contains("t.a") == true)
      }
      try insertion.bind(3)
      try insertion.execute()
      #expect(try Int.fetchOne(db, sql: "SELECT count(*) FROM t") == 3)
    }
  }

  @Test func `in the midst of its rows is not disturbed by another one with the same text`() throws {
    try queue().read { db in
      var outer = try RawStatement("SELECT a FROM t ORDER BY a", db)
      var pairs: [[Int64]] = []
      while try outer.step() {
        var inner = try RawStatement("SELECT a FROM t ORDER BY a", db)
        while try inner.step() { pairs.append([outer.integer(0), inner.integer(0)]) }
      }
      #expect(pairs == [[1, 1], [1, 2], [2, 1], [2, 2]])
    }
  }
}
