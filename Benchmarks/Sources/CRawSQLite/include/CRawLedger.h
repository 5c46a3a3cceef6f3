/// Raw SQLite in C on the tables of a ledger: what a program without a library would do, one statement a transaction.
///
/// It opens files created by the library, so that schema, triggers, indexes and page size are the library's; it sets the same
/// pragmas and checkpoints by the same rule.
#ifndef EPISODIC_RAW_LEDGER_H
#define EPISODIC_RAW_LEDGER_H

#include <stdint.h>

typedef struct raw_ledger raw_ledger;

typedef struct {
  const char *id, *tool, *arguments, *result;
  int64_t position, duration_ms, created_at;
} raw_tool_call;

/// Opens a file created by the library. Every function below returns SQLITE_OK or the first other code.
int raw_ledger_open(const char *path, int synchronous_full, raw_ledger **ledger);
void raw_ledger_close(raw_ledger *ledger);

/// The message of the last error.
const char *raw_ledger_message(const raw_ledger *ledger);

/// Claims the next task in a transaction of its own: one `UPDATE ... RETURNING`.
///
/// @param seq The task's; 0 if there is none.
int raw_ledger_claim(raw_ledger *ledger, int64_t now, int64_t lease, const char *worker, int64_t *seq);

/// One transaction with these rows, an INSERT each.
int raw_ledger_append(raw_ledger *ledger, const char *run_id, const raw_tool_call *calls, int count);

#endif
