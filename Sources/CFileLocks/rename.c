#define _GNU_SOURCE
#include "CFileLocks.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#ifdef __linux__
#include <fcntl.h>
#include <sys/syscall.h>
#endif

enum { no_replace = 1 << 0, exchange = 1 << 1 };

static int rename_with(const char *from, const char *to, unsigned flag) {
#if defined(__APPLE__)
  return renamex_np(from, to, flag == exchange ? RENAME_SWAP : RENAME_EXCL) == 0 ? 0 : errno;
#elif defined(__linux__) && defined(SYS_renameat2)
  // By number, since older C libraries lack the function. The flags have had these values since Linux 3.15.
  return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flag) == 0 ? 0 : errno;
#else
  return ENOSYS;
#endif
}

int episodic_rename_exclusive(const char *from, const char *to) {
  int code = rename_with(from, to, no_replace);
  if (code != EINVAL && code != ENOSYS && code != ENOTSUP) return code;
  // A file system without it: a second name can be given without replacing a file, and then the first one taken away.
  if (link(from, to) != 0) return errno;
  return unlink(from) == 0 ? 0 : errno;
}

int episodic_rename_exchange(const char *first, const char *second) { return rename_with(first, second, exchange); }
