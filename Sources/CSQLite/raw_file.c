#include "CSQLite.h"

#include <sqlite3.h>
#include <stdlib.h>

struct episodic_raw_file {
  sqlite3_filename name;
  // What follows it belongs to SQLite's layer: as many bytes as that asks for.
  sqlite3_file file;
};

int episodic_raw_file_open(const char *path, episodic_raw_file **opened, bool *is_writable) {
  *opened = NULL;
  int code = sqlite3_initialize();
  if (code != SQLITE_OK) return code;
  sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
  if (vfs == NULL) return SQLITE_ERROR;
  episodic_raw_file *raw = calloc(1, sizeof *raw + (size_t)vfs->szOsFile);
  if (raw == NULL) return SQLITE_NOMEM;
  raw->name = sqlite3_create_filename(path, "", "", 0, NULL);
  if (raw->name == NULL) {
    free(raw);
    return SQLITE_NOMEM;
  }
  int flags = 0;
  code = vfs->xOpen(vfs, raw->name, &raw->file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MAIN_DB, &flags);
  if (code != SQLITE_OK) {
    if (raw->file.pMethods != NULL) raw->file.pMethods->xClose(&raw->file);
    sqlite3_free_filename(raw->name);
    free(raw);
    return code;
  }
  *is_writable = (flags & SQLITE_OPEN_READONLY) == 0;
  *opened = raw;
  return SQLITE_OK;
}

int episodic_raw_file_lock(episodic_raw_file *raw, bool exclusively) {
  int code = raw->file.pMethods->xLock(&raw->file, SQLITE_LOCK_SHARED);
  if (code == SQLITE_OK && exclusively) code = raw->file.pMethods->xLock(&raw->file, SQLITE_LOCK_EXCLUSIVE);
  if (code != SQLITE_OK) raw->file.pMethods->xUnlock(&raw->file, SQLITE_LOCK_NONE);
  return code;
}

int episodic_raw_file_size(episodic_raw_file *raw, int64_t *size) {
  sqlite3_int64 bytes = 0;
  int code = raw->file.pMethods->xFileSize(&raw->file, &bytes);
  *size = bytes;
  return code;
}

int episodic_raw_file_read(episodic_raw_file *raw, void *bytes, int count, int64_t offset) {
  int code = raw->file.pMethods->xRead(&raw->file, bytes, count, offset);
  return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
}

void episodic_raw_file_close(episodic_raw_file *raw) {
  raw->file.pMethods->xUnlock(&raw->file, SQLITE_LOCK_NONE);
  raw->file.pMethods->xClose(&raw->file);
  sqlite3_free_filename(raw->name);
  free(raw);
}
