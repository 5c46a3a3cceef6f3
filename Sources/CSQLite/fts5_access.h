#ifndef EPISODIC_FTS5_ACCESS_H
#define EPISODIC_FTS5_ACCESS_H

#include <sqlite3.h>

/// FTS5 returns its table of functions through a bound pointer of that type.
///
/// @return SQLITE_OK, or why there is none.
int episodic_fts5_api(sqlite3 *connection, fts5_api **api);

#endif
