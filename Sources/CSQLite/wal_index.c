#include "CSQLite.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

/// WalIndexHdr of SQLite's wal.c, whose layout is part of the file format (www.sqlite.org/walformat.html, section 2.1).
typedef struct {
  uint32_t version;
  uint32_t unused;
  uint32_t change;
  uint8_t is_initialised;
  uint8_t is_big_endian;
  uint16_t page_size;  // 1 stands for 65,536
  uint32_t last_frame;
  uint32_t page_count;
  uint32_t frame_checksum[2];
  uint32_t salt[2];
  uint32_t checksum[2];
} wal_index_header;

_Static_assert(sizeof(wal_index_header) == sizeof(episodic_wal_header), "the header has 48 bytes");

const void *episodic_wal_index(struct sqlite3 *connection) {
  sqlite3_file *file = NULL;
  if (sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK) return NULL;
  if (file == NULL || file->pMethods == NULL || file->pMethods->iVersion < 2 || file->pMethods->xShmMap == NULL) {
    return NULL;
  }
  void volatile *mapped = NULL;
  // Not to extend it: a WAL index that no connection has made yet is none.
  if (file->pMethods->xShmMap(file, 0, 32768, 0, &mapped) != SQLITE_OK) return NULL;
  return (const void *)mapped;
}

episodic_wal_header episodic_wal_header_read(const void *wal_index) {
  const _Atomic uint64_t *words = wal_index;
  episodic_wal_header header;
  // Must not be reordered before the read by which this thread learnt of a commit.
  atomic_thread_fence(memory_order_seq_cst);
  for (int i = 0; i < 6; i++) header.words[i] = atomic_load_explicit(&words[i], memory_order_relaxed);
  atomic_thread_fence(memory_order_acquire);
  return header;
}

bool episodic_wal_header_is_sound(const episodic_wal_header *header, uint32_t page_size) {
  wal_index_header fields;
  memcpy(&fields, header, sizeof fields);
  uint32_t words[10];
  memcpy(words, header, sizeof words);
  uint32_t first = 0, second = 0;
  for (int i = 0; i < 10; i += 2) {
    first += words[i] + second;
    second += words[i + 1] + first;
  }
  uint32_t size = fields.page_size == 1 ? 65536 : fields.page_size;
  // An empty log has no pages yet, and so no size of them.
  bool has_size = size == page_size || (size == 0 && fields.last_frame == 0);
  return fields.version == 3007000 && fields.is_initialised == 1 && has_size && fields.checksum[0] == first
    && fields.checksum[1] == second;
}

/// WalCkptInfo, which follows two copies of the header.
enum { moved_offset = 96, moving_offset = 128 };

int episodic_log_state_read(struct sqlite3 *connection, episodic_log_state *state) {
  const char *index = episodic_wal_index(connection);
  if (index == NULL) return SQLITE_NOTFOUND;
  sqlite3_file *log = NULL;
  int code = sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (code != SQLITE_OK) return code;
  if (log == NULL || log->pMethods == NULL) return SQLITE_NOTFOUND;
  wal_index_header header;
  episodic_wal_header words = episodic_wal_header_read(index);
  memcpy(&header, &words, sizeof header);
  memcpy(state->salt, header.salt, sizeof state->salt);
  state->last_frame = header.last_frame;
  state->moved = atomic_load_explicit((const _Atomic uint32_t *)(index + moved_offset), memory_order_acquire);
  state->moving = atomic_load_explicit((const _Atomic uint32_t *)(index + moving_offset), memory_order_acquire);
  state->generation = 0;
  state->is_log_current = true;
  state->log_size = 0;
  // A log that was begun again gets its header with the next frame.
  if (header.last_frame == 0) return SQLITE_OK;
  uint8_t start[32];
  uint32_t page_size = header.page_size == 1 ? 65536 : header.page_size;
  state->log_size = 32 + (int64_t)header.last_frame * (page_size + 24);
  code = log->pMethods->xRead(log, start, sizeof start, 0);
  if (code == SQLITE_IOERR_SHORT_READ) {
    state->is_log_current = false;
    return SQLITE_OK;
  }
  if (code != SQLITE_OK) return code;
  state->is_log_current = memcmp(start + 16, header.salt, sizeof header.salt) == 0;
  for (int i = 12; i < 16; i++) state->generation = state->generation << 8 | start[i];
  return SQLITE_OK;
}

int episodic_database_header_read(struct sqlite3 *connection, episodic_database_header *header) {
  sqlite3_file *file = NULL;
  int code = sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (code != SQLITE_OK) return code;
  if (file == NULL || file->pMethods == NULL) return SQLITE_NOTFOUND;
  uint8_t start[100];
  code = file->pMethods->xRead(file, start, sizeof start, 0);
  if (code != SQLITE_OK) return code;
  memcpy(header->bytes, start + 24, 20);
  memcpy(header->bytes + 20, start + 92, 4);
  return SQLITE_OK;
}

int episodic_database_read(struct sqlite3 *connection, void *bytes, int count, int64_t offset) {
  sqlite3_file *file = NULL;
  int code = sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (code != SQLITE_OK) return code;
  if (file == NULL || file->pMethods == NULL) return SQLITE_NOTFOUND;
  code = file->pMethods->xRead(file, bytes, count, offset);
  return code == SQLITE_IOERR_SHORT_READ ? SQLITE_NOTFOUND : code;
}
