#define _GNU_SOURCE
#include "CFileLocks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/sysmacros.h>
#endif

int episodic_file_identity(const char *path, uint64_t *device, uint64_t *inode) {
#if defined(__linux__) && defined(STATX_INO)
  struct statx file;
  if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO, &file) == 0) {
    *device = makedev(file.stx_dev_major, file.stx_dev_minor);
    *inode = file.stx_ino;
    return 0;
  }
  if (errno != ENOSYS) return errno;
#endif
  struct stat status;
  if (lstat(path, &status) != 0) return errno;
  *device = (uint64_t)status.st_dev;
  *inode = (uint64_t)status.st_ino;
  return 0;
}
