import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Saves a template, in place of one of the same name.
  ///
  /// - Throws: `.invalid` for a variable in subject or body that is not declared, a section that is not closed, and what
  ///   templates must not have; `.limitExceeded`.
  public func save(_ template: NoticeTemplate) async throws(MemoryError) {
    try template.validate(database.input)
    let variables = JSON.array(template.variables.map { .string($0) }).canonicalText
    try await database.write { db, now in
      try db.execute(
        sql: """
          INSERT INTO templates (name, type, subject, body, variables, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
          ON CONFLICT (name) DO UPDATE SET type = ?2, subject = ?3, body = ?4, variables = ?5, changed_at = ?6
          """,
        arguments: [
          template.name.canonicallyComposed, template.type.rawValue.canonicallyComposed, template.subject,
          template.body, variables,
          now.milliseconds,
        ])
    }
  }

  /// The template of a name; `nil` if there is none.
  public func template(_ name: String) async throws(MemoryError) -> NoticeTemplate? {
    try await database.read { db in try TemplateRow.find(name.canonicallyComposed, db) }
  }

  /// Templates in the order of their names.
  ///
  /// - Parameter last: The name of the last one of the page before; `nil` for the first page.
  public func templates(after last: String? = nil, limit: Int = 50) async throws(MemoryError) -> [NoticeTemplate] {
    try database.input.page(limit)
    return try await database.read { db in
      try Row.fetchAll(
        db.cachedStatement(sql: TemplateRow.page), arguments: [last?.canonicallyComposed ?? "", limit]
      ).map(TemplateRow.template)
    }
  }

  /// The text that a template gives with values.
  ///
  /// - Parameter values: An object; what the template does not use is ignored.
  /// - Throws: `.notFound`; `.invalid` if a value is missing; `.limitExceeded`.
  public func render(template name: String, _ values: JSON) async throws(MemoryError) -> NoticeText {
    guard let template = try await template(name) else { throw MemoryError.noTemplate(name) }
    return try template.render(values, database.input)
  }

  /// Removes a template; notices that were made by it stay.
  ///
  /// - Throws: `.notFound`.
  public func remove(template name: String) async throws(MemoryError) {
    try await database.write(grows: false) { db, _ in
      try db.execute(sql: "DELETE FROM templates WHERE name = ?", arguments: [name.canonicallyComposed])
      if db.changesCount == 0 { throw MemoryError.noTemplate(name) }
    }
  }
}

/// Rows of `templates`.
enum TemplateRow {
  private static let columns = "name, type, subject, body, variables"
  static let byName = "SELECT \(columns) FROM templates WHERE name = ?"
  static let page = "SELECT \(columns) FROM templates WHERE name > ? ORDER BY name LIMIT ?"

  static func template(_ row: Row) throws -> Ledger.NoticeTemplate {
    guard case .array(let names) = try row.json(4) else {
      throw MemoryError(.corrupted, "the variables of a template are no list; save the template again")
    }
    return Ledger.NoticeTemplate(
      try row.text(0), type: try row.name(1), subject: try row.text(2), body: try row.text(3),
      variables: names.compactMap { if case .string(let name) = $0 { name } else { nil } })
  }

  static func find(_ name: String, _ db: Database) throws -> Ledger.NoticeTemplate? {
    try Row.fetchOne(db.cachedStatement(sql: byName), arguments: [name]).map(template)
  }
}

extension MemoryError {
  static func noTemplate(_ name: String) -> MemoryError {
    MemoryError(.notFound, "no template \"\(name.shortened(to: 60))\"; save it first")
  }
}
