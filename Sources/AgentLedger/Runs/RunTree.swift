import GRDB
import StoreRows
import StoreValues

/// A run with all that it started, and what those started.
enum RunTree {
  /// By `UNION`, which ends also at rows that another program has made a circle of.
  private static let below = """
    WITH RECURSIVE tree (id) AS (VALUES (?1) UNION SELECT r.id FROM tree t JOIN runs r ON r.parent_id = t.id)
    """
  static let members =
    "\(below) SELECT r.id, r.domain, r.completed_at IS NOT NULL FROM tree t JOIN runs r ON r.id = t.id"
  static let runs = """
    \(below) SELECT \(RunRow.columns.split(separator: ", ").map { "r." + $0 }.joined(separator: ", "))
    FROM tree t JOIN runs r ON r.id = t.id ORDER BY r.seq LIMIT ?2
    """

  struct Member {
    let id: Ledger.Run.ID
    let domain: String
    let isEnded: Bool
  }

  /// The root first; none if it is not there.
  static func members(of root: Ledger.Run.ID, _ db: Database) throws -> [Member] {
    try Row.fetchAll(db.cachedStatement(sql: members), arguments: [root.rawValue]).map { row in
      Member(id: try row.id(0), domain: try row.text(1), isEnded: try row.value(2))
    }
  }

  /// Each run before those that it started, these in the order in which they were.
  ///
  /// - Throws: `.notFound`; `.limitExceeded` beyond `limit` runs.
  static func nodes(of root: Ledger.Run.ID, limit: Int, _ db: Database) throws -> [Ledger.Run.Node] {
    let found = try Row.fetchAll(db.cachedStatement(sql: runs), arguments: [root.rawValue, limit + 1]).map(RunRow.run)
    guard found.count <= limit else {
      throw MemoryError(
        .limitExceeded,
        "the tree of run \"\(root)\" has more than \(limit) runs; ask for that of a run below it, or raise limits.batchElements"
      )
    }
    guard let first = found.first(where: { $0.id == root }) else { throw MemoryError.noRun(root) }
    let children = Dictionary(grouping: found.filter { $0.id != root }) { $0.parent }.mapValues { Array($0.reversed()) }
    var nodes: [Ledger.Run.Node] = []
    // The last one is next: a stack, because a chain may be longer than that of the thread.
    var waiting = [Ledger.Run.Node(run: first, depth: 0)]
    while let node = waiting.popLast(), nodes.count < found.count {
      nodes.append(node)
      waiting += (children[node.run.id] ?? []).map { Ledger.Run.Node(run: $0, depth: node.depth + 1) }
    }
    return nodes
  }
}
