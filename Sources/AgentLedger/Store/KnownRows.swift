import GRDB
import StoreValues

/// Which rows are there, each looked up once a commit.
struct KnownRows {
  enum Table: String, Hashable { case runs, tasks, people }

  private struct Key: Hashable {
    let table: Table
    let id: String
  }

  private var found: [Key: Bool] = [:]

  mutating func lacks<Entity>(_ id: Identifier<Entity>?, _ table: Table, _ db: Database) throws -> Bool {
    guard let id = id?.rawValue else { return false }
    let key = Key(table: table, id: id)
    if let isThere = found[key] { return !isThere }
    let statement = try db.cachedStatement(sql: "SELECT 1 FROM \(table.rawValue) WHERE id = ?")
    let isThere = try Row.fetchOne(statement, arguments: [id]) != nil
    found[key] = isThere
    return !isThere
  }
}
