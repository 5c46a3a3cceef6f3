/// What SQLite offers only through a variadic C function or a table of function pointers, which Swift cannot call.
#ifndef EPISODIC_CSQLITE_H
#define EPISODIC_CSQLITE_H

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

/// Makes one connection safe to point at a file that others wrote and that others still have open:
/// shadow tables and `writable_schema` are out of reach (defensive mode), double quotes never make a string, foreign keys
/// are enforced, and neither a commit nor a close checkpoints by itself. The schema stays trusted, since SQLite 3.40 counts
/// json_valid() in a CHECK as unsafe otherwise; the engine adds no function that a foreign schema could misuse.
///
/// @return SQLITE_OK, or the first error code met.
int episodic_sqlite_harden(struct sqlite3 *connection);

/// Lets the connection, if it is the last one of any process when it is closed, move the log into the database and remove
/// it. SQLite takes an exclusive lock on the database meanwhile, under which no other process writes or checkpoints.
int episodic_sqlite_checkpoint_on_close(struct sqlite3 *connection);

/// Lets names of databases be URIs, which carry options such as `immutable`; to be called before SQLite is used.
///
/// @return Whether SQLite accepts URIs.
bool episodic_sqlite_allow_uris(void);

/// The first copy of the header of a WAL index: 48 bytes that every commit changes, in the byte order of the machine.
typedef struct {
  uint64_t words[6];
} episodic_wal_header;

/// Where the WAL index of a connection's main database is mapped, reached through SQLite's own file object, without
/// opening the file. Stays there until the last connection of the process to that database closes.
///
/// Only for a connection to a database in WAL mode that has read from it.
///
/// @return NULL if there is none: no read before, or another operating system layer.
const void *episodic_wal_index(struct sqlite3 *connection);

/// Reads the header as it is now, whatever others are writing there. A mixture of an old and a new one equals neither.
episodic_wal_header episodic_wal_header_read(const void *wal_index);

/// Whether that is a whole header of the known format, of a database with pages of that size.
bool episodic_wal_header_is_sound(const episodic_wal_header *header, uint32_t page_size);

/// The state of the log according to its index, inside a transaction.
typedef struct {
  /// Differ each time that the log begins again.
  uint32_t salt[2];
  /// Frames in the log, as far as they are committed.
  uint32_t last_frame;
  /// How often the log had begun again, since its file was made, when its first frame was written.
  uint32_t generation;
  /// Frames that are in the database file, and frames that a checkpoint has begun to move there.
  uint32_t moved, moving;
  /// Bytes that the file of the log must have for those frames; 0 without any.
  int64_t log_size;
  /// Whether the file of the log that the connection has open begins with those salts. Another program that wrote over it
  /// would make it begin otherwise.
  bool is_log_current;
} episodic_log_state;

/// Cost: two reads of memory, and one system call on the open log.
///
/// @return SQLITE_OK, or why there is nothing to say: the connection has no log open.
int episodic_log_state_read(struct sqlite3 *connection, episodic_log_state *state);

/// Those fields of the header of the database file that tell its states apart: change counter, size, free pages, schema.
/// In WAL mode only a checkpoint changes them.
typedef struct {
  uint8_t bytes[24];
} episodic_database_header;

int episodic_database_header_read(struct sqlite3 *connection, episodic_database_header *header);

/// Reads bytes of the database file as they are on the disk, through SQLite's own file object. What is still in the log is
/// not in them. A read transaction that does not use the log keeps checkpoints from changing them meanwhile.
///
/// @return SQLITE_OK; SQLITE_NOTFOUND behind the end, and if there is no file.
int episodic_database_read(struct sqlite3 *connection, void *bytes, int count, int64_t offset);

/// Adds `episodic_word_matches(TABLE)` to the auxiliary functions of FTS5: what bm25 is computed from, for the current row of a
/// full-text query. Its value is a blob of pairs of uint32_t in the byte order of the machine: first the tokens of the row and
/// the number of pairs that follow, then number and frequency of each phrase of the query that the row has, ascending.
///
/// @return SQLITE_OK, or why there is none: FTS5 is missing, or the connection was interrupted.
int episodic_word_matches_register(struct sqlite3 *connection);

struct episodic_tokenizer;

/// Makes one of FTS5's own tokenizers.
///
/// @param words Its name, then its arguments, as in the `tokenize` option of a full-text table.
/// @return SQLITE_OK, or why there is none: FTS5 is missing, a name is unknown, or the connection was interrupted.
int episodic_tokenizer_create(
  struct sqlite3 *connection, const char *const *words, int count, struct episodic_tokenizer **tokenizer);

void episodic_tokenizer_free(struct episodic_tokenizer *tokenizer);

/// Receives a word: UTF-8, valid during the call, not terminated.
typedef void (*episodic_word_listener)(void *context, const char *word, int length);

/// Splits a text in UTF-8 into words as a full-text table does on insertion.
///
/// @return SQLITE_OK, or the first error code met.
int episodic_tokenizer_cut(
  struct episodic_tokenizer *tokenizer, const char *text, int length, void *context, episodic_word_listener listener);

/// A database file opened through SQLite's own file layer, to read its bytes whatever is in them. Unlike another open and close,
/// it drops no lock that SQLite holds on the file in this process.
typedef struct episodic_raw_file episodic_raw_file;

/// Opens a file that exists; changes nothing.
///
/// @param path Absolute.
/// @param is_writable Set to whether the file could be opened for writing, without which it cannot be locked exclusively.
/// @return SQLITE_OK, or why not; then there is nothing to close.
int episodic_raw_file_open(const char *path, episodic_raw_file **opened, bool *is_writable);

/// Takes the lock of a reader, or the one that no other connection, of this process or another, may have the database open for.
///
/// @return SQLITE_OK; SQLITE_BUSY if others have the database open.
int episodic_raw_file_lock(episodic_raw_file *file, bool exclusively);

int episodic_raw_file_size(episodic_raw_file *file, int64_t *size);

/// Reads bytes; those behind the end of the file are 0.
int episodic_raw_file_read(episodic_raw_file *file, void *bytes, int count, int64_t offset);

/// Releases the lock and closes the file.
void episodic_raw_file_close(episodic_raw_file *file);

#endif
