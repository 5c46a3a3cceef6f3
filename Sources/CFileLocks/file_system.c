#define _GNU_SOURCE
#include "CFileLocks.h"

#include <errno.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

int episodic_file_system_type(const char *path, uint32_t *type) {
#ifdef __linux__
  struct statfs system;
  if (statfs(path, &system) != 0) return errno;
  *type = (uint32_t)system.f_type;
  return 0;
#else
  (void)path;
  *type = 0;
  return ENOSYS;
#endif
}
