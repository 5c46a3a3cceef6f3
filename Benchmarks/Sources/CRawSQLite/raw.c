#define _GNU_SOURCE
#include "CRawSQLite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct raw_store {
  sqlite3 *db;
  sqlite3_stmt *begin_read, *begin_write, *commit, *rollback;
  sqlite3_stmt *insert_episode, *insert_step, *select_episode, *select_steps;
  int log_frames;
};

/// Frames in the log after which the library checkpoints.
static const int checkpoint_frames = 2048;

#define TRY(expression) do { int code_ = (expression); if (code_ != SQLITE_OK) return code_; } while (0)

static int remember_frames(void *context, sqlite3 *db, const char *name, int frames) {
  (void)db, (void)name;
  ((raw_store *)context)->log_frames = frames;
  return SQLITE_OK;
}

static int prepare(raw_store *store, const char *sql, sqlite3_stmt **statement) {
  return sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, 0);
}

static int prepare_all(raw_store *store) {
  TRY(prepare(store, "BEGIN", &store->begin_read));
  TRY(prepare(store, "BEGIN IMMEDIATE", &store->begin_write));
  TRY(prepare(store, "COMMIT", &store->commit));
  TRY(prepare(store, "ROLLBACK", &store->rollback));
  TRY(prepare(store,
    "INSERT INTO episodes (id, task_type, domain, session, context, status, success_rate, created_at, completed_at, "
    "metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", &store->insert_episode));
  TRY(prepare(store,
    "INSERT INTO steps (id, episode_id, step_number, action, result, tool, duration_ms, success, timestamp) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", &store->insert_step));
  TRY(prepare(store,
    "SELECT id, task_type, domain, session, context, status, metadata, created_at, completed_at, embedding_version, "
    "success_rate FROM episodes WHERE id = ?", &store->select_episode));
  return prepare(store,
    "SELECT id, action, result, tool, step_number, success, timestamp, duration_ms FROM steps WHERE episode_id = ? "
    "ORDER BY step_number", &store->select_steps);
}

int raw_open(const char *path, int synchronous_full, raw_store **result) {
  raw_store *store = calloc(1, sizeof *store);
  if (!store) return SQLITE_NOMEM;
  *result = store;
  TRY(sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, 0));
  TRY(sqlite3_busy_timeout(store->db, 30000));
  TRY(sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0));
  TRY(sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0));
  TRY(sqlite3_exec(store->db,
    "PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY",
    0, 0, 0));
  TRY(sqlite3_exec(store->db, synchronous_full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", 0, 0, 0));
  sqlite3_wal_hook(store->db, remember_frames, store);
  return prepare_all(store);
}

void raw_close(raw_store *store) {
  if (!store) return;
  sqlite3_stmt *statements[] = {
    store->begin_read, store->begin_write, store->commit, store->rollback, store->insert_episode, store->insert_step,
    store->select_episode, store->select_steps,
  };
  for (unsigned i = 0; i < sizeof statements / sizeof *statements; i++) sqlite3_finalize(statements[i]);
  sqlite3_close(store->db);
  free(store);
}

const char *raw_message(const raw_store *store) {
  return store && store->db ? sqlite3_errmsg(store->db) : "out of memory";
}

// MARK: Writing

static int run(sqlite3_stmt *statement) {
  sqlite3_step(statement);
  return sqlite3_reset(statement);
}

static void bind(sqlite3_stmt *statement, int at, raw_text text) {
  sqlite3_bind_text(statement, at, text.bytes, text.count, SQLITE_STATIC);
}

static int insert_steps(raw_store *store, raw_text episode, const raw_step *steps, int count) {
  sqlite3_stmt *insert = store->insert_step;
  for (int i = 0; i < count; i++) {
    const raw_step *step = &steps[i];
    bind(insert, 1, step->id);
    bind(insert, 2, episode);
    sqlite3_bind_int64(insert, 3, step->number);
    bind(insert, 4, step->action);
    bind(insert, 5, step->result);
    bind(insert, 6, step->tool);
    sqlite3_bind_int64(insert, 7, step->duration_ms);
    sqlite3_bind_int64(insert, 8, step->success);
    sqlite3_bind_int64(insert, 9, step->timestamp);
    TRY(run(insert));
  }
  return SQLITE_OK;
}

static int insert_episode(raw_store *store, const raw_episode *episode) {
  sqlite3_stmt *insert = store->insert_episode;
  bind(insert, 1, episode->id);
  bind(insert, 2, episode->task_type);
  bind(insert, 3, episode->domain);
  bind(insert, 4, episode->session);
  bind(insert, 5, episode->context);
  bind(insert, 6, episode->status);
  sqlite3_bind_int64(insert, 8, episode->created_at);
  if (episode->is_completed) {
    sqlite3_bind_double(insert, 7, episode->success_rate);
    sqlite3_bind_int64(insert, 9, episode->completed_at);
  } else {
    sqlite3_bind_null(insert, 7);
    sqlite3_bind_null(insert, 9);
  }
  bind(insert, 10, episode->metadata);
  TRY(run(insert));
  return insert_steps(store, episode->id, episode->steps, episode->step_count);
}

/// Ends the transaction as its work ended, and checkpoints by the library's rule.
static int finish(raw_store *store, int code) {
  if (code != SQLITE_OK) {
    run(store->rollback);
    return code;
  }
  TRY(run(store->commit));
  if (store->log_frames < checkpoint_frames) return SQLITE_OK;
  return sqlite3_exec(store->db, "PRAGMA wal_checkpoint(PASSIVE)", 0, 0, 0);
}

int raw_insert(raw_store *store, const raw_episode *episodes, int count) {
  TRY(run(store->begin_write));
  int code = SQLITE_OK;
  for (int i = 0; i < count && code == SQLITE_OK; i++) code = insert_episode(store, &episodes[i]);
  return finish(store, code);
}

int raw_append(raw_store *store, raw_text episode, const raw_step *steps, int count) {
  TRY(run(store->begin_write));
  return finish(store, insert_steps(store, episode, steps, count));
}

// MARK: Reading

static uint64_t text_bytes(sqlite3_stmt *statement, int column) {
  const unsigned char *text = sqlite3_column_text(statement, column);
  // The address of the text goes nowhere, but it must have been asked for: without it SQLite makes no text.
  __asm__ volatile("" : : "r"(text) : "memory");
  return (uint64_t)sqlite3_column_bytes(statement, column);
}

/// Sums the columns of the row: the first `texts` by their bytes, then `integers` by their values.
static uint64_t row_digest(sqlite3_stmt *statement, int texts, int integers) {
  uint64_t sum = 0;
  for (int i = 0; i < texts; i++) sum += text_bytes(statement, i);
  for (int i = texts; i < texts + integers; i++) sum += (uint64_t)sqlite3_column_int64(statement, i);
  return sum;
}

static int read_rows(raw_store *store, raw_text id, uint64_t *digest) {
  sqlite3_stmt *episode = store->select_episode, *steps = store->select_steps;
  bind(episode, 1, id);
  if (sqlite3_step(episode) == SQLITE_ROW) {
    *digest += row_digest(episode, 7, 3);
    *digest += (uint64_t)(int64_t)(sqlite3_column_double(episode, 10) * 1000);
  }
  TRY(sqlite3_reset(episode));
  bind(steps, 1, id);
  while (sqlite3_step(steps) == SQLITE_ROW) {
    *digest += row_digest(steps, 4, 3) + (sqlite3_column_int64(steps, 7) >= 0);
  }
  return sqlite3_reset(steps);
}

int raw_read(raw_store *store, raw_text id, uint64_t *digest) {
  *digest = 0;
  TRY(run(store->begin_read));
  int code = read_rows(store, id, digest);
  int ended = run(store->commit);
  return code != SQLITE_OK ? code : ended;
}

// MARK: Asking

int raw_prepare(raw_store *store, const char *sql, raw_query **query) { return prepare(store, sql, query); }

void raw_finalize(raw_query *query) { sqlite3_finalize(query); }

int raw_ask(raw_query *query, raw_text argument, int64_t *values, int count, int *is_found) {
  bind(query, 1, argument);
  *is_found = sqlite3_step(query) == SQLITE_ROW;
  for (int i = 0; i < count && *is_found; i++) values[i] = sqlite3_column_int64(query, i);
  return sqlite3_reset(query);
}

// MARK: The machine

const char *raw_sqlite_version(void) { return sqlite3_libversion(); }

uint64_t raw_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t raw_sync(int file) {
  static const char page[4096] = {1};
  uint64_t start = raw_now();
  if (write(file, page, sizeof page) != (ssize_t)sizeof page) return 0;
#ifdef __APPLE__
  if (fsync(file) != 0) return 0;
#else
  if (fdatasync(file) != 0) return 0;
#endif
  return raw_now() - start;
}
