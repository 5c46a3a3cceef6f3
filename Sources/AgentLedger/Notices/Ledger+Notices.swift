import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Writes a notice by a template to a person, by each channel that the person prefers; it leaves through the outbox, in one
  /// commit with it.
  ///
  /// Quiet hours of the person's zone hold all but critical ones back until their end; so does the rate limit of the tier.
  ///
  /// - Parameter values: An object with a value for each variable of the template.
  /// - Parameter channels: In place of those that the person prefers.
  /// - Returns: The notices as they wait; none if the person wants none of the template's type, or by no channel.
  /// - Throws: `.notFound` if there is no such person or template; `.invalid` if a value is missing; `.limitExceeded`.
  @discardableResult
  public func notify(
    _ id: Person.ID, template name: String, _ values: JSON = [:], level: Notice.Level = .info,
    by channels: [Notice.Channel]? = nil
  ) async throws(MemoryError) -> [Notice] {
    let input = database.input
    try input.channels(channels ?? [])
    guard let template = try await template(name) else { throw MemoryError.noTemplate(name) }
    let new = NewNotice(type: template.type, level: level, text: try template.render(values, input))
    return try await database.write { db, now in try new.insert(to: id, by: channels, at: now, input, db) }
  }

  /// The notice with an id; `nil` if there is none.
  public func notice(_ id: Notice.ID) async throws(MemoryError) -> Notice? {
    try await database.read { db in try NoticeRow.find(id, db) }
  }

  /// Notices, those written last first.
  ///
  /// - Parameter recipient: `nil` for all people.
  /// - Parameter status: `nil` for any.
  /// - Parameter last: The last one of the page before; `nil` for the first page.
  public func notices(
    to recipient: Person.ID? = nil, status: Notice.Status? = nil, after last: Notice.ID? = nil, limit: Int = 50
  ) async throws(MemoryError) -> [Notice] {
    try database.input.page(limit)
    return try await database.read { db in
      try NoticeRow.page(of: recipient, status, after: last, limit: limit, db)
    }
  }

  /// Says what became of a notice after it was sent.
  ///
  /// - Throws: `.notFound`; `.conflict` if it was not sent.
  @discardableResult
  public func set(_ delivery: Notice.Delivery, of id: Notice.ID) async throws(MemoryError) -> Notice {
    try await database.write(grows: false) { db, _ in
      guard var notice = try NoticeRow.find(id, db) else { throw MemoryError.noNotice(id) }
      guard notice.status == .sent else {
        throw MemoryError(
          .conflict, "notice \"\(id)\" is \(notice.status.rawValue); only one that was sent can be \(delivery.rawValue)"
        )
      }
      try db.execute(
        sql: "UPDATE notices SET delivery = ? WHERE id = ?", arguments: [delivery.rawValue, id.rawValue])
      notice.delivery = delivery
      return notice
    }
  }

  /// Which notices a person gets, and how.
  ///
  /// - Throws: `.notFound`.
  public func preferences(of id: Person.ID) async throws(MemoryError) -> NoticePreferences {
    try await database.read { db in try NoticeRow.preferences(of: id, db) }
  }

  /// Sets which notices a person gets, from the next one on: those that wait stay as they are.
  ///
  /// - Throws: `.notFound`; `.invalid`.
  public func set(_ preferences: NoticePreferences, of id: Person.ID) async throws(MemoryError) {
    let text = try database.input.preferences(preferences)
    try await database.write { db, now in
      _ = try PersonRow.require(id, at: now, db)
      try db.execute(sql: "UPDATE people SET preferences = ? WHERE id = ?", arguments: [text, id.rawValue])
    }
  }
}
