#include "CSQLite.h"

#include <sqlite3.h>

int episodic_sqlite_harden(struct sqlite3 *connection) {
  static const struct { int option, value; } switches[] = {
    { SQLITE_DBCONFIG_DEFENSIVE, 1 },
    { SQLITE_DBCONFIG_DQS_DDL, 0 },
    { SQLITE_DBCONFIG_DQS_DML, 0 },
    { SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
  };
  for (unsigned i = 0; i < sizeof switches / sizeof *switches; i++) {
    int code = sqlite3_db_config(connection, switches[i].option, switches[i].value, (int *)0);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}
