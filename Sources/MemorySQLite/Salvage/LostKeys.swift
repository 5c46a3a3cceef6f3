import EpisodicMemory
import GRDB
import StoreRows

/// Keys of domains that a damaged store lost, though rows are encrypted with them.
enum LostKeys {
  /// Marks them as destroyed, so that their domains stay encrypted: nothing is written into one as it is, and an error says why it
  /// cannot be read.
  ///
  /// - Parameter hasSalt: Whether the salt of the keys was found.
  /// - Returns: What is lost with them.
  static func mark(hasSalt: Bool, _ db: Database) throws -> [SalvageReport.Loss] {
    let now = SystemClock().now().milliseconds
    var rows: [(domain: String, count: Int)] = []
    for row in try Row.fetchAll(db, sql: headers) {
      let (domain, count): (String, Int) = (try row.value(0), try row.value(2))
      if let known = rows.firstIndex(where: { $0.domain == domain }) {
        rows[known].count += count
        continue
      }
      guard let number = DomainCipher.keyNumber(ofHeader: try row.bytes(1) ?? []), number > 0 else { continue }
      try db.execute(sql: insertion, arguments: [number, domain, now])
      rows.append((domain, count))
    }
    var losses = rows.map { domain, count in
      loss("nobody can read \(count) rows of the encrypted domain \"\(domain)\", whose key is lost")
    }
    let wrapped = try Int.fetchOne(db, sql: "SELECT count(*) FROM domain_keys WHERE wrapped IS NOT NULL") ?? 0
    if !hasSalt, wrapped > 0 {
      // With the salt that the new store has an error would speak of a wrong key.
      try db.execute(sql: "UPDATE store SET key_salt = NULL")
      losses.append(loss("nobody can read encrypted domains: the salt of their keys is lost with the row of the store"))
    }
    return losses
  }

  private static func loss(_ what: String) -> SalvageReport.Loss {
    SalvageReport.Loss(table: "domain_keys", reason: "\(what); restore a backup, or forget what cannot be read")
  }

  /// Domains that have sealed rows and no key, with what the rows say of the key: a row whose bytes changed says what others do not.
  private static let headers = """
    WITH sealed (domain, header) AS (
        SELECT domain, substr(sealed, 1, 5) FROM episodes WHERE sealed IS NOT NULL
        UNION ALL SELECT domain, substr(sealed, 1, 5) FROM patterns WHERE sealed IS NOT NULL
        UNION ALL SELECT e.domain, substr(s.sealed, 1, 5) FROM steps s JOIN episodes e ON e.id = s.episode_id
            WHERE s.sealed IS NOT NULL
        UNION ALL SELECT e.domain, substr(m.sealed, 1, 5) FROM embeddings m JOIN episodes e ON e.id = m.episode_id
            WHERE m.sealed IS NOT NULL)
    SELECT domain, header, count(*) FROM sealed
    WHERE domain NOT IN (SELECT domain FROM domain_keys WHERE state IN ('current', 'destroyed'))
    GROUP BY domain, header ORDER BY count(*) DESC
    """

  /// With the number that rows have, so that no other key gets it.
  private static let insertion = """
    INSERT INTO domain_keys (number, domain, version, state, created_at, ended_at)
    SELECT ?1, ?2, coalesce(max(version), 0) + 1, 'destroyed', ?3, ?3 FROM domain_keys WHERE domain = ?2
    ON CONFLICT DO NOTHING
    """
}
