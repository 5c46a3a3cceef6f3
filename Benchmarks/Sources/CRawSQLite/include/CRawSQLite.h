/// Raw SQLite in C, the yardstick of the benchmarks: prepared statements, values bound from prepared buffers, no copy, no
/// check and no lock besides SQLite's own.
///
/// It opens files created by the library, so that schema, triggers, indexes and page size are the library's; it sets the
/// same pragmas and checkpoints by the same rule.
#ifndef EPISODIC_RAW_SQLITE_H
#define EPISODIC_RAW_SQLITE_H

#include <stdint.h>

#include "CRawLedger.h"

typedef struct raw_store raw_store;

/// UTF-8 that outlives every call it is passed to; `bytes == 0` is NULL.
typedef struct {
  const char *bytes;
  int count;
} raw_text;

typedef struct {
  raw_text id, action, result, tool;
  int64_t number, duration_ms, success, timestamp;
} raw_step;

typedef struct {
  raw_text id, task_type, domain, session, context, status, metadata;
  double success_rate;
  int64_t created_at, completed_at;
  /// Whether the rate and the time of completion are known.
  int is_completed;
  const raw_step *steps;
  int step_count;
} raw_episode;

/// Opens a file created by the library. Every function below returns SQLITE_OK or the first other code.
int raw_open(const char *path, int synchronous_full, raw_store **store);
void raw_close(raw_store *store);

/// The message of the last error.
const char *raw_message(const raw_store *store);

/// One transaction with all these episodes and their steps.
int raw_insert(raw_store *store, const raw_episode *episodes, int count);

/// One transaction with these steps.
int raw_append(raw_store *store, raw_text episode, const raw_step *steps, int count);

/// An episode and its steps by two queries in one read transaction.
///
/// @param digest A sum over every column, so that each has been read: the bytes of texts, the values of numbers, the
///   rate in thousandths, and one for each duration. `Episode.digest` is the same sum in Swift.
int raw_read(raw_store *store, raw_text id, uint64_t *digest);

/// A query whose result is a row of integers.
typedef struct sqlite3_stmt raw_query;

int raw_prepare(raw_store *store, const char *sql, raw_query **query);
void raw_finalize(raw_query *query);

/// Runs it in its own read transaction, so the result is the last committed state.
///
/// @param argument Bound to the first parameter.
/// @param values The first `count` columns, if a row is found.
int raw_ask(raw_query *query, raw_text argument, int64_t *values, int count, int *is_found);

const char *raw_sqlite_version(void);

/// Nanoseconds of a monotonic clock.
uint64_t raw_now(void);

/// Appends a page to an open file, syncs its data and returns the nanoseconds; 0 if it failed.
uint64_t raw_sync(int file);

#endif
