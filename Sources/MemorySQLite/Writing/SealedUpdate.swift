import EpisodicMemory
import Foundation
import GRDB
import StoreRows

/// Writes rows that are there into their tables again, with all of their texts: what is sealed is sealed as a whole.
enum SealedUpdate {
  /// The row of an episode, as the value has it, but for its steps.
  ///
  /// - Parameter row: Of one that was sealed with another version of the key.
  static func write(_ episode: Episode, sealedBefore row: Int64? = nil, _ db: Database) throws {
    let texts = try EpisodeTexts(episode, db)
    if let row { return try set(texts.sealed, in: .episodes, row, db) }
    try db.cachedStatement(
      sql: """
        UPDATE episodes SET task_type = ?2, session = ?3, success_rate = ?4, context = ?5, metadata = ?6, sealed = ?7,
            added = NULL, labels = NULL WHERE id = ?1
        """
    ).execute(arguments: [
      episode.id.rawValue, episode.taskType.rawValue, episode.session?.canonicallyComposed, episode.successRate,
      texts.context, texts.metadata, texts.sealed.map { Data($0) },
    ])
    // Not in the statement that changes the texts, which takes what is unchanged for words of the old ones.
    try db.cachedStatement(sql: "UPDATE episodes SET added = ?, labels = ? WHERE id = ?")
      .execute(arguments: [texts.added, texts.labels, episode.id.rawValue])
  }

  /// The digests of words are those of every version of the key: with another one nothing else changes.
  private static func set(_ sealed: [UInt8]?, in table: SealedPlace.Table, _ row: Int64, _ db: Database) throws {
    try db.cachedStatement(sql: "UPDATE \(table.rawValue) SET sealed = ? WHERE seq = ?")
      .execute(arguments: [sealed.map { Data($0) }, row])
  }

  /// - Parameter wasSealed: Whether it was sealed with another version of the key.
  static func write(
    _ step: Step, of episode: String, row: Int64, wasSealed: Bool, _ cipher: DomainCipher, _ db: Database
  ) throws {
    let texts = try StepTexts(step, of: episode, cipher, db)
    if wasSealed { return try set(texts.sealed, in: .steps, row, db) }
    try db.cachedStatement(
      sql: "UPDATE steps SET action = ?, result = ?, tool = ?, sealed = ?, added = NULL WHERE seq = ?"
    ).execute(arguments: [texts.action, texts.result, texts.tool, texts.sealed.map { Data($0) }, row])
    try db.cachedStatement(sql: "UPDATE steps SET added = ? WHERE seq = ?").execute(arguments: [texts.added, row])
  }

  static func write(_ embedding: Embedding, _ cipher: DomainCipher, _ db: Database) throws {
    let stored = try EmbeddingBytes(embedding, cipher)
    try db.cachedStatement(sql: "UPDATE embeddings SET content = ?, embedding = ?, sealed = ? WHERE id = ?")
      .execute(arguments: [
        stored.content, Data(stored.vector), stored.sealed.map { Data($0) }, embedding.id.rawValue,
      ])
  }

  static func write(_ pattern: Pattern, _ cipher: DomainCipher, _ db: Database) throws {
    let texts = try PatternTexts(pattern, hash: pattern.dataHash, cipher, db)
    try db.cachedStatement(
      sql: "UPDATE patterns SET pattern_data = ?, data_hash = ?, metadata = ?, sealed = ? WHERE id = ?"
    ).execute(arguments: [
      texts.data, texts.hash, texts.metadata, texts.sealed.map { Data($0) }, pattern.id.rawValue,
    ])
  }

  /// Inserts a pattern of an encrypted domain, or sets success rate and metadata of the one that there is.
  static func record(
    _ pattern: Pattern, hash: String, domain: String?, _ existing: Pattern?, _ cipher: DomainCipher, _ db: Database
  ) throws {
    if var known = existing {
      if let rate = pattern.successRate { known.successRate = rate }
      if pattern.metadata != [:] { known.metadata = pattern.metadata }
      try db.cachedStatement(sql: "UPDATE patterns SET success_rate = ? WHERE id = ?")
        .execute(arguments: [known.successRate, known.id.rawValue])
      return try write(known, cipher, db)
    }
    let texts = try PatternTexts(pattern, hash: hash, cipher, db)
    try db.cachedStatement(
      sql: """
        INSERT INTO patterns
            (id, domain, pattern_type, pattern_data, data_hash, success_rate, usage_count, created_at, metadata, sealed)
        VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)
        """
    ).execute(arguments: [
      pattern.id.rawValue, PatternRow.column(domain), pattern.type.rawValue, texts.data, texts.hash,
      pattern.successRate, pattern.createdAt.milliseconds, texts.metadata, texts.sealed.map { Data($0) },
    ])
  }
}
