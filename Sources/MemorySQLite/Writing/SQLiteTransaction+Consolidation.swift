import EpisodicMemory
import Foundation
import GRDB
import SQLiteStorage

extension SQLiteTransaction {
  func consolidate(_ episode: Episode) throws(MemoryError) -> Consolidation.Outcome {
    try perform(grows: true) {
      let id = episode.id.rawValue
      if try Self.isFound(Self.consolidatedRun, [id], db) { return .known }
      let digest = try ErasureDigests(db).bytes(Erasure.Subject.episode.rawValue, id)
      if try Self.isFound(Self.erasedEpisode, [Data(digest)], db) { return .erased }
      var insertion = try EpisodeInsertion(existing: .fail, scope, AuditVerb.consolidate, audit, db)
      try insertion.add(episode)
      _ = try insertion.finish()
      try db.cachedStatement(sql: "INSERT INTO consolidated_runs (run_id) VALUES (?)").execute(arguments: [id])
      return .inserted
    }
  }

  private static func isFound(_ sql: String, _ arguments: StatementArguments, _ db: Database) throws -> Bool {
    try Bool.fetchOne(db.cachedStatement(sql: sql), arguments: arguments) ?? false
  }

  static let consolidatedRun = "SELECT EXISTS (SELECT 1 FROM consolidated_runs WHERE run_id = ?)"
  static let erasedEpisode = "SELECT EXISTS (SELECT 1 FROM erased WHERE digest = ? AND kind = 'episode')"
}
