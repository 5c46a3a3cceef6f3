/// Connection switches that SQLite offers only through a variadic C function, which Swift cannot call.
#ifndef EPISODIC_CSQLITE_H
#define EPISODIC_CSQLITE_H

struct sqlite3;

/// Makes one connection safe to point at a file that others wrote and that others still have open:
/// shadow tables and `writable_schema` are out of reach (defensive mode), double quotes never make a string, and
/// closing does not checkpoint unasked. The schema stays trusted, since SQLite 3.40 counts json_valid() in a CHECK as
/// unsafe otherwise; the engine adds no function that a foreign schema could misuse.
///
/// @return SQLITE_OK, or the first error code met.
int episodic_sqlite_harden(struct sqlite3 *connection);

#endif
