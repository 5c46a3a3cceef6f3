import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

/// A request to append steps to one episode.
struct StepAppend: Sendable {
  let drafts: [Step.Draft]
  let episode: Episode.ID
  let now: Timestamp
  let scope: Query.Scope

  /// Appends that share a commit also share its INSERT statements: one statement per row costs three times as much.
  static func batch(
    _ growth: GrowthLimits, _ audit: AuditPolicy, _ keyring: StoreKeyring
  ) -> BatchedWrite<StepAppend, [Step]> {
    BatchedWrite { appends, db in
      try growth.requireRoom()
      let log = try audit.begin(db)
      return try KeySession.run(keyring) {
        let results = try perform(appends, growth, log, db)
        try log?.write(db)
        return results
      }
    }
  }

  /// - Returns: A result for each request, in order. A request that is refused has written nothing.
  static func perform(
    _ appends: [StepAppend], _ growth: GrowthLimits, _ audit: AuditLog?, _ db: Database
  ) throws -> [Result<[Step], any Error>] {
    var episodes: [Episode.ID: StepNumbers] = [:]
    let results = try appends.map { append in
      do {
        var numbers = try episodes[append.episode] ?? StepNumbers(of: append.episode, db)
        try numbers.requireActive(in: append.scope)
        let steps = try append.drafts.map { try numbers.number($0, at: append.now, db) }
        try numbers.requireCount(atMost: growth.maximumSteps, db)
        episodes[append.episode] = numbers
        return Result<[Step], any Error>.success(steps)
      } catch let error as MemoryError where error.code != .corrupted {
        return .failure(error)
      }
    }
    let rows = zip(appends, results).flatMap { append, result in
      guard case .success(let steps) = result else { return [(episode: Episode.ID, step: Step)]() }
      return steps.map { (append.episode, $0) }
    }
    try StepRow.insert(rows, db)
    try TrustRow.inherit(rows, db)
    for (append, result) in zip(appends, results) {
      guard case .success(let steps) = result else { continue }
      if let audit, let domain = episodes[append.episode]?.domain {
        audit.noteSteps(steps, of: append.episode, AuditVerb.append, in: domain)
      }
      guard append.drafts.contains(where: { $0.cutLengths != nil }) else { continue }
      if try append.noteCuts(of: steps, db) { try audit?.noteChanged(append.episode, AuditVerb.append, db) }
    }
    return results
  }

  /// Says in the episode's metadata which steps were cut, and how long they were.
  ///
  /// - Returns: Whether it does.
  private func noteCuts(of steps: [Step], _ db: Database) throws -> Bool {
    var cuts: JSON.Object = [:]
    for (draft, step) in zip(drafts, steps) {
      guard let lengths = draft.cutLengths else { continue }
      var fields: JSON.Object = [:]
      if let bytes = lengths.action { fields["action_bytes"] = .integer(Int64(bytes)) }
      if let bytes = lengths.result { fields["result_bytes"] = .integer(Int64(bytes)) }
      cuts["\(step.number)"] = .object(fields)
    }
    let patch = JSON.object(["cut_steps": .object(cuts)]).canonicalText
    if try EpisodeRow.cipher(of: episode, db) != nil { return try noteCutsSealed(cuts, patch, db) }
    try db.cachedStatement(
      sql: """
        UPDATE episodes SET metadata = json_patch(metadata, ?1), added = NULL, labels = NULL WHERE id = ?2
            AND coalesce(json_type(metadata, '$.cut_steps'), 'object') = 'object'
            AND length(CAST(metadata AS BLOB)) + ?3 <= ?4
        """
    ).execute(arguments: [patch, episode.rawValue, patch.utf8.count, Self.maximumNotedMetadata])
    guard db.changesCount > 0 else { return false }
    try Analysis.analyse(episode, db)
    return true
  }

  /// In an encrypted domain.
  private func noteCutsSealed(_ cuts: JSON.Object, _ patch: String, _ db: Database) throws -> Bool {
    guard var noted = try EpisodeRow.fetch(db, id: episode, steps: .none), var members = noted.metadata.members,
      noted.metadata.canonicalText.utf8.count + patch.utf8.count <= Self.maximumNotedMetadata
    else { return false }
    var known = JSON.Object()
    if let before = members["cut_steps"] {
      guard let before = before.members else { return false }
      known = before
    }
    for (name, value) in cuts { known[name] = value }
    members["cut_steps"] = .object(known)
    noted.metadata = .object(members)
    try SealedUpdate.write(noted, db)
    return true
  }

  /// Bytes of metadata up to which cuts are noted there: each note rewrites all of it, and a step that was cut says so itself.
  /// What a caller wrote under the same name stays.
  private static let maximumNotedMetadata = 16 << 10
}

/// The numbers of an episode's steps, including those about to be inserted.
private struct StepNumbers {
  private let episode: Episode.ID
  private let status: String
  let domain: String
  private var highest: Int
  /// Assigned, and not in the table yet.
  private var assigned: Set<Int> = []

  /// - Throws: `.notFound`.
  init(of episode: Episode.ID, _ db: Database) throws {
    self.episode = episode
    let statement = try db.cachedStatement(
      sql: """
        SELECT status, domain, (SELECT max(step_number) FROM steps WHERE episode_id = ?1)
        FROM episodes e WHERE id = ?1 AND \(DeletedEpisodes.excluded)
        """)
    guard let row = try Row.fetchOne(statement, arguments: [episode.rawValue]) else {
      throw MemoryError.noEpisode(episode)
    }
    status = try row.value(0)
    domain = try row.value(1)
    let last: Int? = try row.value(2)
    highest = last ?? 0
  }

  /// - Throws: `.notFound` if the scope does not include the episode (I8); `.conflict` if it is not active.
  func requireActive(in scope: Query.Scope) throws {
    if let wanted = scope.onlyDomain, !wanted.utf8.elementsEqual(domain.utf8) { throw MemoryError.noEpisode(episode) }
    guard status == Episode.Status.active.rawValue else {
      throw MemoryError(.conflict, "episode \"\(episode)\" is \(status), so it takes no steps; reopen it first")
    }
  }

  /// - Throws: `.limitExceeded` if the episode has more steps with those that are assigned.
  func requireCount(atMost maximum: Int, _ db: Database) throws {
    // Numbers are from 1 on and unique, so there are no more steps than the highest of them: counting is rare.
    guard highest > maximum else { return }
    let statement = try db.cachedStatement(sql: "SELECT count(*) FROM steps WHERE episode_id = ?")
    let present = try Int.fetchOne(statement, arguments: [episode.rawValue]) ?? 0
    guard present > maximum - assigned.count else { return }
    throw MemoryError(
      .limitExceeded,
      "episode \"\(episode)\" has \(present) steps and would have \(present + assigned.count), more than \(maximum); begin "
        + "another, or raise limits.stepsPerEpisode")
  }

  /// - Throws: `.conflict` if the draft's number is taken, or no number follows the highest.
  mutating func number(_ draft: Step.Draft, at now: Timestamp, _ db: Database) throws -> Step {
    let number: Int
    if let wanted = draft.number {
      guard !assigned.contains(wanted), try !StepRow.exists(wanted, of: episode, db) else {
        throw MemoryError(
          .conflict, "episode \"\(episode)\" has a step \(wanted) already; leave the number to the engine")
      }
      number = wanted
    } else {
      let (next, overflow) = highest.addingReportingOverflow(1)
      guard !overflow else {
        throw MemoryError(.conflict, "episode \"\(episode)\" has a step numbered \(highest); there is no next number")
      }
      number = next
    }
    assigned.insert(number)
    highest = max(highest, number)
    return Step(draft, id: .generate(at: now), number: number, timestamp: draft.timestamp ?? now)
  }
}

extension Step {
  init(_ draft: Draft, id: ID, number: Int, timestamp: Timestamp) {
    self.init(
      id: id, number: number, action: draft.action, result: draft.result, tool: draft.tool,
      duration: draft.duration.map { .milliseconds($0.milliseconds) }, success: draft.success, timestamp: timestamp,
      provenance: draft.provenance)
  }
}
