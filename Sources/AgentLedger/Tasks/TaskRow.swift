import ByteCoding
import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// Rows of `tasks`.
enum TaskRow {
  static let columns = """
    id, type, params, priority, status, attempts, max_attempts, crashes, max_crashes, not_before, lease_until, worker_id, \
    is_cancelling, error, category, complexity, tokens, request, response, content_hash, person_id, domain, session, \
    parent_id, created_at, started_at, completed_at
    """
  static let columnCount = 27

  static func task(_ row: borrowing RawStatement) throws -> Ledger.Task {
    let priority: Int = try row.value(3)
    return Ledger.Task(
      id: try row.id(0), type: try row.text(1), params: try row.json(2),
      priority: Ledger.Task.Priority(rawValue: priority) ?? .normal, status: try row.closed(4),
      attempts: try row.value(5),
      maximumAttempts: try row.value(6), crashes: try row.value(7), maximumCrashes: try row.value(8),
      notBefore: try row.time(9), leaseUntil: try row.time(ifAny: 10), worker: try row.id(ifAny: 11),
      isCancelling: try row.value(12), error: try row.value(13), category: try row.name(ifAny: 14),
      complexity: try row.value(15), tokens: try row.value(16), request: try row.value(17), response: try row.value(18),
      contentHash: try row.value(19), person: try row.id(ifAny: 20), domain: try row.text(21),
      session: try row.value(22),
      parent: try row.id(ifAny: 23), createdAt: try row.time(24), startedAt: try row.time(ifAny: 25),
      completedAt: try row.time(ifAny: 26))
  }

  static func find(_ id: Ledger.Task.ID, _ db: Database) throws -> Ledger.Task? {
    var row = try RawStatement(byID, db)
    try row.bind(id.rawValue)
    return try row.step() ? task(row) : nil
  }

  static let byID = "SELECT \(columns) FROM tasks WHERE id = ?"

  private static let insertion = RowInsert(
    into: "tasks",
    """
    id, type, params, priority, is_ready, max_attempts, max_crashes, not_before, waits_since, category, complexity, request, \
    content_hash, person_id, domain, session, parent_id, created_at
    """)

  static func insert(_ tasks: [NewTask], at now: Timestamp, _ db: Database) throws {
    try insertion(tasks, db) { new, row in
      let draft = new.draft
      try row.bind(new.id.rawValue)
      try row.bind(draft.type)
      try row.bind(new.params)
      try row.bind(Int64(draft.priority.rawValue))
      let notBefore = draft.notBefore ?? now
      try row.bind(notBefore <= now ? 1 : 0 as Int64)
      try row.bind(Int64(draft.maximumAttempts))
      try row.bind(Int64(draft.maximumCrashes))
      try row.bind(notBefore.milliseconds)
      try row.bind(now.milliseconds)
      try row.bind(draft.category?.rawValue)
      try row.bind(draft.complexity)
      try row.bind(draft.request)
      try row.bind(new.contentHash)
      try row.bind(draft.person?.rawValue)
      try row.bind(draft.domain)
      try row.bind(draft.session)
      try row.bind(draft.parent?.rawValue)
      try row.bind(now.milliseconds)
    }
  }
}

/// A draft that has been checked.
struct NewTask: Sendable {
  let id: Ledger.Task.ID
  let draft: Ledger.Task.Draft
  let params: String
  let contentHash: String?

  init(_ draft: Ledger.Task.Draft, at now: Timestamp, _ input: LedgerInput) throws(MemoryError) {
    var draft = draft
    draft.domain = draft.domain.canonicallyComposed
    draft.session = draft.session?.canonicallyComposed
    try input.identifier(draft.id, "the task's id")
    try input.name(draft.type, "the task's type")
    try input.name(draft.domain, "the task's domain")
    try input.name(draft.session, "the task's session")
    try input.name(draft.category?.rawValue, "the task's category")
    try input.text(draft.request, "the task's request")
    try input.time(draft.notBefore, "the task's notBefore")
    try input.number(draft.complexity, "the task's complexity", in: 0...1)
    try input.identifier(draft.person, "the task's person")
    try input.identifier(draft.parent, "the task's parent")
    for (field, value) in [("maximumAttempts", draft.maximumAttempts), ("maximumCrashes", draft.maximumCrashes)]
    where !(1...1_000_000).contains(value) {
      throw MemoryError(.invalid, "the task's \(field) is \(value); it must be from 1 to 1000000")
    }
    params = try input.json(draft.params, "the task's params")
    contentHash = try Self.hash(of: draft, params)
    self.draft = draft
    id = draft.id ?? .generate(at: now)
  }

  private static func hash(of draft: Ledger.Task.Draft, _ params: String) throws(MemoryError) -> String? {
    if let hash = draft.contentHash {
      guard hash.utf8.count == 64, hash.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
      else {
        throw MemoryError(
          .invalid,
          "the task's contentHash \"\(hash.shortened(to: 70))\" is no SHA-256; give 64 hexadecimal digits in lower case"
        )
      }
      return hash
    }
    return draft.isUnique ? SHA256.digest(of: Array((draft.type + "\u{0}" + params).utf8)).hexadecimal : nil
  }
}
