#include "CSQLite.h"

#include <sqlite3.h>

int episodic_sqlite_harden(struct sqlite3 *connection) {
  static const struct { int option, value; } switches[] = {
    { SQLITE_DBCONFIG_DEFENSIVE, 1 },
    { SQLITE_DBCONFIG_DQS_DDL, 0 },
    { SQLITE_DBCONFIG_DQS_DML, 0 },
    { SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
    { SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
  };
  for (unsigned i = 0; i < sizeof switches / sizeof *switches; i++) {
    int now = -1;
    int code = sqlite3_db_config(connection, switches[i].option, switches[i].value, &now);
    if (code != SQLITE_OK) return code;
    if (now != switches[i].value) return SQLITE_ERROR;
  }
  return sqlite3_wal_autocheckpoint(connection, 0);
}

int episodic_sqlite_checkpoint_on_close(struct sqlite3 *connection) {
  return sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, (int *)0);
}

bool episodic_sqlite_allow_uris(void) {
  // Fails once SQLite is in use: then it stays as it was built.
  return sqlite3_compileoption_used("USE_URI") != 0 || sqlite3_config(SQLITE_CONFIG_URI, 1) == SQLITE_OK;
}
