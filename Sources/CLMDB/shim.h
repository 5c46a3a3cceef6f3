/// LMDB, and the system calls around it. Swift's own module of the C library has other names on each system.
#ifndef EPISODIC_CLMDB_SHIM_H
#define EPISODIC_CLMDB_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/// Closes an open file in programs that this process starts.
static inline void episodic_close_on_exec(int descriptor) { (void)fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

/// Whether another process holds a lock (`fcntl`) on the first byte of a file.
///
/// @return 1 or 0; -1 with `errno`.
static inline int episodic_first_byte_lock(int descriptor) {
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
  if (fcntl(descriptor, F_GETLK, &lock) != 0) return -1;
  return lock.l_type != F_UNLCK;
}

#endif
