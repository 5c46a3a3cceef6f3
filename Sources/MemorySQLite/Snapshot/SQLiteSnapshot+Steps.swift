import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

extension SQLiteSnapshot {
  func admission(_ scope: Query.Scope, _ filter: Episode.Filter) throws(MemoryError) -> StepAdmission {
    guard let step = filter.step else { return .all }
    if let known = lazy.admission, known.scope == scope, known.filter == filter { return known.admission }
    let admission = try reading { () throws -> StepAdmission in
      let steps = try StepConditions(step, KeyedTerms(scope, db))
      return try steps.rows(Conditions(filter, scope), db).map(StepAdmission.listed) ?? .each
    }
    lazy.admission = (scope, filter, admission)
    lazy.admitted = [:]
    return admission
  }

  func admits(_ episode: Int64, _ filter: Step.Filter) throws(MemoryError) -> Bool {
    if let known = lazy.admitted[episode] { return known }
    let admits = try reading {
      let exists = try StepConditions(filter, lazy.admission.flatMap { try KeyedTerms($0.scope, db) }).exists
      let statement = try db.cachedStatement(sql: "SELECT \(exists.clause) FROM episodes e WHERE e.seq = ?")
      return try Bool.fetchOne(statement, arguments: exists.arguments + [episode]) ?? false
    }
    lazy.admitted[episode] = admits
    return admits
  }

  func passing(
    _ ids: [Episode.ID], _ scope: Query.Scope, _ filter: Episode.Filter
  ) throws(MemoryError) -> Set<Episode.ID> {
    return try reading {
      var conditions = Conditions(filter, scope)
      if let steps = filter.step { conditions.add(try StepConditions(steps, KeyedTerms(scope, db))) }
      let statement = try db.cachedStatement(sql: "SELECT 1 FROM episodes e WHERE e.id = ?\(conditions.andClause)")
      return Set(
        try ids.filter { id in try Int.fetchOne(statement, arguments: [id.rawValue] + conditions.arguments) != nil })
    }
  }

  /// Scope and filter, steps included.
  func conditions(_ scope: Query.Scope, _ filter: Episode.Filter) throws -> Conditions {
    var conditions = Conditions(filter, scope)
    switch try admission(scope, filter) {
    case .all: break
    case .listed(let rows): conditions.add(rows: rows)
    case .each: if let step = filter.step { conditions.add(try StepConditions(step, KeyedTerms(scope, db))) }
    }
    return conditions
  }

  /// Rows and numbers of the last steps of an episode that pass a filter, the last first.
  func steps(
    of episode: Int64, passing filter: Step.Filter, in scope: Query.Scope, atMost count: Int
  ) throws -> [(row: Int64, number: Int)] {
    let steps = try StepConditions(filter, KeyedTerms(scope, db)).stepsOfEpisode
    let statement = try db.cachedStatement(
      sql: """
        SELECT s.seq, s.step_number FROM episodes e CROSS JOIN \(steps.tables) WHERE e.seq = ? AND \(steps.conditions)
        ORDER BY s.step_number DESC LIMIT ?
        """)
    return try Row.fetchAll(statement, arguments: [episode] + steps.arguments + [count]).map { row in
      (row: try row.value(0), number: try row.value(1))
    }
  }
}
