package import EpisodicMemory
import Foundation
import GRDB

extension SQLitePrimaryStore {
  package func episodeIDs(
    beginningWith prefix: String, in scope: Query.Scope, limit: Int
  ) async throws(MemoryError) -> [Episode.ID] {
    // Texts are compared by their bytes: every id that begins so comes before the prefix with the last code point.
    let range: StatementArguments = [prefix, prefix + "\u{10FFFF}"]
    return try await ids(Self.idsInRange(scope), range + Self.arguments(scope) + [limit])
  }

  package func uniqueBeginnings(of ids: [Episode.ID]) async throws(MemoryError) -> [Int] {
    try await readRows { db in
      let before = try db.cachedStatement(sql: Self.idBefore)
      let after = try db.cachedStatement(sql: Self.idAfter)
      return try ids.map { id in
        // The ids beside it share more of its beginning than all others.
        let neighbors = try [before, after].compactMap { try String.fetchOne($0, arguments: [id.rawValue]) }
        return (neighbors.map { $0.commonPrefix(with: id.rawValue).count }.max() ?? 0) + 1
      }
    }
  }

  static let idBefore = "SELECT id FROM episodes WHERE id < ? ORDER BY id DESC LIMIT 1"
  static let idAfter = "SELECT id FROM episodes WHERE id > ? ORDER BY id LIMIT 1"

  package func newestEpisodeIDs(in scope: Query.Scope, limit: Int) async throws(MemoryError) -> [Episode.ID] {
    try await ids(Self.newestIDs(scope), Self.arguments(scope) + [limit])
  }

  package func pattern(_ id: Pattern.ID) async throws(MemoryError) -> Pattern? {
    try await readRows { db in try PatternRow.fetch(db, id: id) }
  }

  /// The query behind `episodeIDs`. The unary plus keeps it on the index of ids: a domain has more rows than a beginning.
  static func idsInRange(_ scope: Query.Scope) -> String {
    let condition = scope == .everything ? "AND \(DeletedEpisodes.excluded)" : "AND +domain = ?"
    return "SELECT id FROM episodes e WHERE id >= ? AND id < ? \(condition) ORDER BY id LIMIT ?"
  }

  /// The query behind `newestEpisodeIDs`.
  static func newestIDs(_ scope: Query.Scope) -> String {
    let condition = scope == .everything ? "WHERE \(DeletedEpisodes.excluded)" : "WHERE domain = ?"
    return "SELECT id FROM episodes e \(condition) ORDER BY created_at DESC, seq DESC LIMIT ?"
  }

  private static func arguments(_ scope: Query.Scope) -> StatementArguments {
    if case .domain(let domain) = scope { [domain.canonicallyComposed] } else { [] }
  }

  private func ids(_ sql: String, _ arguments: StatementArguments) async throws(MemoryError) -> [Episode.ID] {
    try await readRows { db in try String.fetchAll(db, sql: sql, arguments: arguments).map(Episode.ID.init(composed:)) }
  }
}
