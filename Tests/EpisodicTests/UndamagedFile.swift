import Foundation
import GRDB

/// The rows of an undamaged database with the pages that each stands on, read independently of the engine.
struct UndamagedFile {
  struct Place: Hashable {
    let table: String
    /// Row id; for a table without, its two ids.
    let key: String
  }

  let pageSize: Int
  let bytes: [UInt8]
  private(set) var pages: [Place: Set<Int>] = [:]
  var pageCount: Int { bytes.count / pageSize }

  /// - Parameter path: Of a database without a log.
  init(path: String, tables: [String]) throws {
    bytes = Array(try Data(contentsOf: URL(filePath: path)))
    pageSize = Int(bytes[16]) << 8 | Int(bytes[17])
    let queue = try DatabaseQueue(path: path)
    let roots = try queue.read { db in
      try Row.fetchAll(db, sql: "SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'").map { row in
        (row[0] as String, row[1] as Int)
      }
    }
    try queue.close()
    for (table, root) in roots where tables.contains(table) { walk(root, table) }
  }

  func page(_ number: Int) -> ArraySlice<UInt8> { bytes[(number - 1) * pageSize..<number * pageSize] }

  private func integer(_ offset: Int, _ count: Int) -> Int {
    bytes[offset..<offset + count].reduce(0) { $0 << 8 | Int($1) }
  }

  private func varint(_ offset: inout Int) -> Int {
    var value = 0
    repeat {
      value = value << 7 | Int(bytes[offset] & 0x7F)
      offset += 1
    } while bytes[offset - 1] & 0x80 != 0
    return value
  }

  private mutating func walk(_ number: Int, _ table: String) {
    let start = (number - 1) * pageSize
    let header = number == 1 ? start + 100 : start
    let kind = bytes[header]
    let isLeaf = kind == 10 || kind == 13
    for index in 0..<integer(header + 3, 2) {
      let cell = start + integer(header + (isLeaf ? 8 : 12) + 2 * index, 2)
      if !isLeaf { walk(integer(cell, 4), table) }
      if kind != 5 { add(cell + (kind == 2 ? 4 : 0), of: number, isTable: kind == 13, table) }
    }
    if !isLeaf { walk(integer(header + 8, 4), table) }
  }

  private mutating func add(_ cell: Int, of number: Int, isTable: Bool, _ table: String) {
    var at = cell
    let length = varint(&at)
    var key = isTable ? String(varint(&at)) : ""
    let maximum = isTable ? pageSize - 35 : (pageSize - 12) * 64 / 255 - 23
    let minimum = (pageSize - 12) * 32 / 255 - 23
    var local = length
    if length > maximum {
      let fitting = minimum + (length - minimum) % (pageSize - 4)
      local = fitting <= maximum ? fitting : minimum
    }
    var pages: Set = [number]
    var next = local < length ? integer(at + local, 4) : 0
    while next != 0 {
      pages.insert(next)
      next = integer((next - 1) * pageSize, 4)
    }
    if !isTable {
      // Header of three bytes: its own size and two texts.
      var body = at
      _ = varint(&body)
      let first = (varint(&body) - 13) / 2
      let second = (varint(&body) - 13) / 2
      let text = String(decoding: bytes[body..<body + first + second], as: UTF8.self)
      key = String(text.prefix(first)) + "|" + String(text.dropFirst(first))
    }
    self.pages[Place(table: table, key: key)] = pages
  }
}
