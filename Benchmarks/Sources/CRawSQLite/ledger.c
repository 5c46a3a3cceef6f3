#include "CRawLedger.h"

#include <sqlite3.h>
#include <stdlib.h>

struct raw_ledger {
  sqlite3 *db;
  sqlite3_stmt *begin, *commit, *rollback, *claim, *append;
  int log_frames;
};

/// Frames in the log after which the library checkpoints.
static const int checkpoint_frames = 2048;

#define TRY(expression) do { int code_ = (expression); if (code_ != SQLITE_OK) return code_; } while (0)

static int remember_frames(void *context, sqlite3 *db, const char *name, int frames) {
  (void)db, (void)name;
  ((raw_ledger *)context)->log_frames = frames;
  return SQLITE_OK;
}

static int prepare(raw_ledger *ledger, const char *sql, sqlite3_stmt **statement) {
  return sqlite3_prepare_v3(ledger->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, 0);
}

int raw_ledger_open(const char *path, int synchronous_full, raw_ledger **result) {
  raw_ledger *ledger = calloc(1, sizeof *ledger);
  if (!ledger) return SQLITE_NOMEM;
  *result = ledger;
  TRY(sqlite3_open_v2(path, &ledger->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, 0));
  TRY(sqlite3_busy_timeout(ledger->db, 30000));
  TRY(sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0));
  TRY(sqlite3_exec(ledger->db,
    "PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY",
    0, 0, 0));
  TRY(sqlite3_exec(ledger->db, synchronous_full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", 0, 0, 0));
  sqlite3_wal_hook(ledger->db, remember_frames, ledger);
  TRY(prepare(ledger, "BEGIN IMMEDIATE", &ledger->begin));
  TRY(prepare(ledger, "COMMIT", &ledger->commit));
  TRY(prepare(ledger, "ROLLBACK", &ledger->rollback));
  TRY(prepare(ledger,
    "UPDATE tasks SET status = 'in_progress', attempts = attempts + 1, lease_until = ?1 + ?2, waits_since = ?1, "
    "worker_id = ?3, started_at = coalesce(started_at, ?1) WHERE seq = (SELECT seq FROM tasks INDEXED BY tasks_next WHERE status = 'pending' "
    "AND is_ready = 1 ORDER BY priority, created_at, not_before, seq LIMIT 1) RETURNING seq, id, type, params",
    &ledger->claim));
  return prepare(ledger,
    "INSERT INTO tool_calls (id, run_id, position, tool, arguments, result, success, duration_ms, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)", &ledger->append);
}

void raw_ledger_close(raw_ledger *ledger) {
  if (!ledger) return;
  sqlite3_stmt *statements[] = {ledger->begin, ledger->commit, ledger->rollback, ledger->claim, ledger->append};
  for (unsigned i = 0; i < sizeof statements / sizeof *statements; i++) sqlite3_finalize(statements[i]);
  sqlite3_close(ledger->db);
  free(ledger);
}

const char *raw_ledger_message(const raw_ledger *ledger) {
  return ledger && ledger->db ? sqlite3_errmsg(ledger->db) : "out of memory";
}

static int run(sqlite3_stmt *statement) {
  sqlite3_step(statement);
  return sqlite3_reset(statement);
}

/// Ends the transaction as its work ended, and checkpoints by the library's rule.
static int finish(raw_ledger *ledger, int code) {
  if (code != SQLITE_OK) {
    run(ledger->rollback);
    return code;
  }
  TRY(run(ledger->commit));
  if (ledger->log_frames < checkpoint_frames) return SQLITE_OK;
  return sqlite3_exec(ledger->db, "PRAGMA wal_checkpoint(PASSIVE)", 0, 0, 0);
}

int raw_ledger_claim(raw_ledger *ledger, int64_t now, int64_t lease, const char *worker, int64_t *seq) {
  *seq = 0;
  TRY(run(ledger->begin));
  sqlite3_stmt *claim = ledger->claim;
  sqlite3_bind_int64(claim, 1, now);
  sqlite3_bind_int64(claim, 2, lease);
  sqlite3_bind_text(claim, 3, worker, -1, SQLITE_STATIC);
  if (sqlite3_step(claim) == SQLITE_ROW) {
    *seq = sqlite3_column_int64(claim, 0);
    for (int column = 1; column < 4; column++) {
      const unsigned char *text = sqlite3_column_text(claim, column);
      __asm__ volatile("" : : "r"(text) : "memory");
    }
    sqlite3_step(claim);
  }
  return finish(ledger, sqlite3_reset(claim));
}

int raw_ledger_append(raw_ledger *ledger, const char *run_id, const raw_tool_call *calls, int count) {
  TRY(run(ledger->begin));
  sqlite3_stmt *append = ledger->append;
  int code = SQLITE_OK;
  for (int i = 0; i < count && code == SQLITE_OK; i++) {
    sqlite3_bind_text(append, 1, calls[i].id, -1, SQLITE_STATIC);
    sqlite3_bind_text(append, 2, run_id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(append, 3, calls[i].position);
    sqlite3_bind_text(append, 4, calls[i].tool, -1, SQLITE_STATIC);
    sqlite3_bind_text(append, 5, calls[i].arguments, -1, SQLITE_STATIC);
    sqlite3_bind_text(append, 6, calls[i].result, -1, SQLITE_STATIC);
    sqlite3_bind_int64(append, 7, calls[i].duration_ms);
    sqlite3_bind_int64(append, 8, calls[i].created_at);
    code = run(append);
  }
  return finish(ledger, code);
}
