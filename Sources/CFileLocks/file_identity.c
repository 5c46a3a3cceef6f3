#define _GNU_SOURCE
#include "CFileLocks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/sysmacros.h>
#endif

int episodic_file_identity(const char *path, uint64_t *device, uint64_t *inode, int64_t *size) {
#if defined(__linux__) && defined(STATX_INO)
  struct statx file;
  if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_SIZE, &file) == 0) {
    *device = makedev(file.stx_dev_major, file.stx_dev_minor);
    *inode = file.stx_ino;
    *size = (int64_t)file.stx_size;
    return 0;
  }
  if (errno != ENOSYS) return errno;
#endif
  struct stat status;
  if (lstat(path, &status) != 0) return errno;
  *device = (uint64_t)status.st_dev;
  *inode = (uint64_t)status.st_ino;
  *size = (int64_t)status.st_size;
  return 0;
}
