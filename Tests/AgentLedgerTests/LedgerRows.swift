import GRDB

/// SQL that fills each large table of an empty ledger with so many rows, spread evenly over the year before now. For tests, and
/// through a symbolic link for `bench ledger`.
enum LedgerRows {
  private static let year: Int64 = 365 * 86_400_000

  /// - Parameter now: Milliseconds since 1970.
  static func arguments(of sql: String, rows: Int, now: Int64) -> StatementArguments {
    let values: [(any DatabaseValueConvertible)?] = [rows, now - year, Double(year) / Double(rows)]
    // A statement names the parameters that it has, the first ones.
    let count = (1...3).last { sql.contains("?\($0)") } ?? 0
    return StatementArguments(values.prefix(count))
  }

  private static let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)"
  /// When the row of a number was made.
  private static let at = "?2 + CAST(i * ?3 AS INTEGER)"

  /// Parameters: rows, a year before now, milliseconds between two rows.
  static let statements: [String] = [
    """
    \(numbers) INSERT INTO people (id, handle, tier, last_active, created_at)
    SELECT 'p' || i, 'h' || i, CASE i % 10 WHEN 0 THEN 'premium' ELSE 'free' END, \(at), \(at) FROM n
    """,
    """
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
    INSERT INTO workers (id, kind, status, last_heartbeat, created_at) SELECT 'w' || i, 'browser', 'idle', 0, 0 FROM n
    """,
    """
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
    INSERT INTO agents (id, name, type, created_at, updated_at) SELECT 'a' || i, 'n' || i, 'builder', 0, 0 FROM n
    """,
    // Of twenty tasks one waits, and of a thousand one is worked on.
    """
    \(numbers) INSERT INTO tasks (id, type, priority, status, is_ready, not_before, lease_until, waits_since, worker_id,
        category, complexity, tokens, content_hash, person_id, domain, session, parent_id, created_at, started_at, completed_at)
    SELECT 't' || i, 'type' || (i % 50), i % 5, status, i % 3 > 0 OR status <> 'pending', at,
        CASE status WHEN 'in_progress' THEN at + 60000 END, at, CASE WHEN status <> 'pending' THEN 'w' || (i % 200 + 1) END,
        CASE i % 7 WHEN 0 THEN NULL WHEN 1 THEN 'coding' WHEN 2 THEN 'debug' WHEN 3 THEN 'design' ELSE 'general' END,
        i % 101 / 100.0, i % 5000, CASE i % 2 WHEN 0 THEN printf('%064x', i) END,
        CASE WHEN i % 3 > 0 THEN 'p' || (i % 5000 % ?1 + 1) END, 'd' || (i % 100), 's' || (i / 10),
        CASE WHEN i % 10 = 0 THEN 't' || (i - 5) END, at, CASE WHEN status <> 'pending' THEN at END,
        CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN at + 1000 + i % 60000 END
    FROM (SELECT i, \(at) AS at, CASE WHEN i % 1000 = 0 THEN 'in_progress' WHEN i % 20 = 1 THEN 'pending' WHEN i % 20 = 2
        THEN 'failed' WHEN i % 50 = 3 THEN 'cancelled' ELSE 'completed' END AS status FROM n)
    """,
    """
    \(numbers) INSERT INTO results (id, task_id, success, duration_ms, created_at)
    SELECT 'r' || i, 't' || i, i % 20 <> 2, i % 60000, \(at) FROM n
    """,
    """
    \(numbers) INSERT INTO outbox (id, kind, key, payload, result_id, status, next_attempt_at, waits_since, delivered_at,
        created_at)
    SELECT 'o' || i, 'results', 'k' || (i % 1000), '{}', 'r' || i, CASE WHEN i % 100 = 0 THEN 'queued' ELSE 'delivered' END, at,
        at, CASE WHEN i % 100 <> 0 THEN at + 500 END, at FROM (SELECT i, \(at) AS at FROM n)
    """,
    """
    \(numbers) INSERT INTO deliveries (direction, kind, count, success, duration_ms, created_at)
    SELECT CASE i % 2 WHEN 0 THEN 'upload' ELSE 'download' END, 'results', 10, i % 30 > 0, i % 2000, \(at) FROM n
    """,
    """
    \(numbers) INSERT INTO signals (selector, selector_type, success, duration_ms, task_id, domain, created_at)
    SELECT '#button-' || (i % 1000), CASE i % 3 WHEN 0 THEN 'xpath' ELSE 'css' END, i % 7 > 0, i % 900,
        CASE i % 2 WHEN 0 THEN 't' || i END, 'd' || (i % 10), \(at) FROM n
    """,
    """
    \(numbers) INSERT INTO pages (key, data, type, size, created_at, expires_at, access_count, last_accessed)
    SELECT 'https://example.org/' || i, x'68656c6c6f', 'html', 5, \(at), \(at) + 86400000, i % 9, \(at) FROM n
    """,
    """
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8760 AND i < ?1)
    INSERT INTO page_hours (hour, hits, misses) SELECT ?2 / 3600000 + i, i % 100, i % 30 FROM n
    """,
    // Of five hundred runs one lives.
    """
    \(numbers) INSERT INTO runs (id, agent_id, session, parent_id, task_id, domain, task_type, status, last_heartbeat,
        started_at, completed_at, episode_id)
    SELECT 'u' || i, 'a' || (i % 20 + 1), 's' || (i / 10), CASE WHEN i % 5 > 0 AND i > 5 THEN 'u' || (i - i % 5) END, 't' || i,
        'd' || (i % 100), 'testing', CASE WHEN i % 500 = 0 THEN 'executing' WHEN i % 12 = 0 THEN 'failed' ELSE 'completed' END, at,
        at, CASE WHEN i % 500 > 0 THEN at + 60000 END, CASE WHEN i % 50 > 0 THEN 'e' || i END
    FROM (SELECT i, \(at) AS at FROM n)
    """,
    """
    \(numbers) INSERT INTO prompts (id, run_id, position, type, text, status, response, model, tokens_in, tokens_out, cost,
        latency_ms, created_at, completed_at)
    SELECT 'q' || i, 'u' || i, 1, 'command', 'do it', status, 'done', 'model-' || (i % 7), i % 4000, i % 900, i % 9000, i % 3000,
        at, CASE WHEN status <> 'pending' THEN at + 3000 END
    FROM (SELECT i, \(at) AS at, CASE WHEN i % 500 = 0 THEN 'pending' WHEN i % 40 = 0 THEN 'failed' ELSE 'completed' END AS status
        FROM n)
    """,
    """
    \(numbers) INSERT INTO tool_calls (id, run_id, prompt_id, position, tool, success, duration_ms, tokens, cost, created_at)
    SELECT 'c' || i, 'u' || i, 'q' || i, 2, 'tool-' || (i % 30), i % 15 > 0, i % 5000, i % 3 * 10, i % 2 * 50, \(at) FROM n
    """,
    """
    \(numbers) INSERT INTO events (level, kind, component, error_type, run_id, task_id, person_id, message, created_at)
    SELECT CASE i % 20 WHEN 0 THEN 3 WHEN 1 THEN 2 ELSE 1 END, 'milestone', 'orchestrator',
        CASE WHEN i % 20 = 0 THEN CASE (i % 60) WHEN 0 THEN 'api' WHEN 20 THEN 'timeout' ELSE 'database' END END, 'u' || i, 't' || i,
        CASE i % 4 WHEN 0 THEN 'p' || (i % 5000 % ?1 + 1) END, 'it happened', \(at) FROM n
    """,
    """
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
    INSERT INTO series (name, labels) SELECT 'sample-' || (i % 10), '{"host":"h' || i || '"}' FROM n
    """,
    "\(numbers) INSERT INTO samples (series, at, seq, value) SELECT i % 100 + 1, \(at), i, i % 1000 / 10.0 FROM n",
    """
    \(numbers) INSERT INTO file_accesses (path, operation, run_id, at)
    SELECT '/src/' || (i % 5000), CASE i % 3 WHEN 0 THEN 'write' ELSE 'read' END, 'u' || i, \(at) FROM n
    """,
    """
    \(numbers) INSERT INTO notices (id, recipient, channel, type, level, subject, body, status, not_before, created_at, sent_at)
    SELECT 'n' || i, 'p' || (i % 5000 % ?1 + 1), 'email', 'system', 'info', 'S', 'B',
        CASE i % 100 WHEN 0 THEN 'pending' ELSE 'sent' END, at, at, CASE WHEN i % 100 > 0 THEN at END
    FROM (SELECT i, \(at) AS at FROM n)
    """,
  ]
}
