import EpisodicMemory
import GRDB
import StoreRows

/// The table `maintenance`: when each task ran last.
enum MaintenanceRow {
  /// By task.
  static func all(_ db: Database) throws -> [MaintenanceRecord] {
    try Row.fetchAll(db, sql: "SELECT task, started_at, finished_at, outcome FROM maintenance ORDER BY task").map {
      row in
      let (finished, outcome): (Int64?, String?) = (try row.value(2), try row.value(3))
      return MaintenanceRecord(
        task: try row.value(0), startedAt: Timestamp(milliseconds: try row.value(1)),
        finishedAt: finished.map(Timestamp.init(milliseconds:)), outcome: JSON(storedObject: outcome ?? "{}"))
    }
  }

  static func write(_ records: [MaintenanceRecord], _ db: Database) throws {
    for record in records {
      try db.execute(
        sql: """
          INSERT INTO maintenance (task, started_at, finished_at, outcome) VALUES (?1, ?2, ?3, ?4)
          ON CONFLICT (task) DO UPDATE SET started_at = ?2, finished_at = ?3, outcome = ?4
          """,
        arguments: [
          record.task, record.startedAt.milliseconds, record.finishedAt?.milliseconds, record.outcome.canonicalText,
        ])
    }
  }
}
