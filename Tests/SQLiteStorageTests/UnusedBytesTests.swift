import Foundation
import GRDB
import TestSupport
import Testing

@testable import SQLiteStorage

@Suite struct `Unused bytes of a database` {
  private let directory: TemporaryDirectory
  private let connection: DatabaseQueue

  /// A file without a log, so that it has what is committed; by default SQLite overwrites nothing in it.
  init() throws {
    directory = try TemporaryDirectory()
    connection = try DatabaseQueue(path: directory.file("file.sqlite"))
    try connection.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA secure_delete = OFF")
      try db.execute(sql: "CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)")
    }
  }

  private func windows(_ texts: String...) -> ByteWindows {
    var windows = ByteWindows()
    for text in texts { Array(text.utf8).withUnsafeBytes { windows.add($0) } }
    return windows
  }

  private func isFound(_ texts: ByteWindows) throws -> Bool {
    try connection.read { db in
      let unused = try UnusedBytes(db)
      var overflow = OverflowPages()
      try unused.addOverflow(of: 1...unused.pageCount, to: &overflow)
      return try unused.contain(texts, in: 1...unused.pageCount, but: overflow)
    }
  }

  private func execute(_ sql: String, _ arguments: StatementArguments = []) throws {
    try connection.write { db in try db.execute(sql: sql, arguments: arguments) }
  }

  /// In a cell alone, and with an overflow page.
  @Test(arguments: [40, 5000]) func `do not have a row that is there, and have it once it was deleted`(
    _ length: Int
  ) throws {
    let secret = "the secret word \(String(repeating: "of many ", count: length / 8)) and its end"
    try execute("INSERT INTO rows (text) VALUES (?), ('one that stays'), (?)", [secret, secret + "!"])
    // Long rows have moved to other pages, and left copies.
    try connection.writeWithoutTransaction { db in try db.execute(sql: "VACUUM") }
    #expect(try !isFound(windows(secret)))
    try execute("DELETE FROM rows WHERE id = 3")
    #expect(try isFound(windows(secret)))
    let hasContent = try connection.read { db in try UnusedBytes(db).hasContentInFreePages() }
    #expect(hasContent == (length > 1000))
    try connection.writeWithoutTransaction { db in try db.execute(sql: "VACUUM") }
    #expect(try !isFound(windows(secret)))
    #expect(try connection.read { db in try !UnusedBytes(db).hasContentInFreePages() })
  }

  @Test func `have no deleted row if SQLite overwrites what it deletes`() throws {
    try connection.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA secure_delete = ON") }
    let secret = String(repeating: "a secret of many pages, ", count: 1000)
    try execute("INSERT INTO rows (text) VALUES ('one that stays'), (?)", [secret])
    try execute("DELETE FROM rows WHERE id = 2")
    #expect(try !isFound(windows(secret)))
    #expect(try connection.read { db in try !UnusedBytes(db).hasContentInFreePages() })
  }

  @Test func `are searched for pieces of 31 bytes and for short texts whole`() {
    var windows = windows("0123456789 abcdefghij 0123456789 klmnopqrst")
    windows.add(whole: "shortish")
    func found(_ text: String) -> Bool { Array(text.utf8).withUnsafeBytes { windows.isFound(in: $0) } }
    #expect(found("xx3456789 abcdefghij 0123456789 yy"))
    #expect(found("..shortish.."))
    #expect(!found("..short") && !found("abcdefghij") && !found(String(repeating: " ", count: 100)))
  }
}
