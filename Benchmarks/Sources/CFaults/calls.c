#ifdef __linux__

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "CFaults.h"

const struct call faults_calls[] = {
#ifdef SYS_open
  {SYS_open, "open", FAULTS_OPEN, -1, 0, -1},
  {SYS_creat, "creat", FAULTS_OPEN, -1, 0, -1},
  {SYS_unlink, "unlink", FAULTS_UNLINK, -1, 0, -1},
  {SYS_rmdir, "rmdir", FAULTS_UNLINK, -1, 0, -1},
  {SYS_rename, "rename", FAULTS_RENAME, -1, 0, -1},
  {SYS_mkdir, "mkdir", FAULTS_MKDIR, -1, 0, -1},
#endif
#ifdef SYS_renameat
  {SYS_renameat, "renameat", FAULTS_RENAME, 0, 1, -1},
#endif
  {SYS_openat, "openat", FAULTS_OPEN, 0, 1, -1},
#ifdef SYS_openat2
  {SYS_openat2, "openat2", FAULTS_OPEN, 0, 1, -1},
#endif
  {SYS_unlinkat, "unlinkat", FAULTS_UNLINK, 0, 1, -1},
  {SYS_renameat2, "renameat2", FAULTS_RENAME, 0, 1, -1},
  {SYS_mkdirat, "mkdirat", FAULTS_MKDIR, 0, 1, -1},
  {SYS_truncate, "truncate", FAULTS_FTRUNCATE, -1, 0, -1},
  {SYS_read, "read", FAULTS_READ, 0, -1, 2},
  {SYS_readv, "readv", FAULTS_READ, 0, -1, 2},
  {SYS_pread64, "pread", FAULTS_PREAD, 0, -1, 2},
  {SYS_preadv, "preadv", FAULTS_PREAD, 0, -1, 2},
  {SYS_preadv2, "preadv2", FAULTS_PREAD, 0, -1, 2},
  {SYS_write, "write", FAULTS_WRITE, 0, -1, 2},
  {SYS_writev, "writev", FAULTS_WRITEV, 0, -1, 2},
  {SYS_pwrite64, "pwrite", FAULTS_PWRITE, 0, -1, 2},
  {SYS_pwritev, "pwritev", FAULTS_PWRITE, 0, -1, 2},
  {SYS_pwritev2, "pwritev2", FAULTS_PWRITE, 0, -1, 2},
  {SYS_fsync, "fsync", FAULTS_FSYNC, 0, -1, -1},
  {SYS_fdatasync, "fdatasync", FAULTS_FDATASYNC, 0, -1, -1},
  {SYS_ftruncate, "ftruncate", FAULTS_FTRUNCATE, 0, -1, -1},
  {SYS_fallocate, "fallocate", FAULTS_FALLOCATE, 0, -1, -1},
  {SYS_mmap, "mmap", FAULTS_MMAP, 4, -1, -1},
  {SYS_flock, "flock", FAULTS_FLOCK, 0, -1, -1},
  {SYS_fcntl, "fcntl", FAULTS_FCNTL, 0, -1, -1},
};
const size_t faults_call_count = sizeof faults_calls / sizeof *faults_calls;

const struct call *faults_find_call(long number) {
  for (size_t index = 0; index < faults_call_count; index++)
    if (faults_calls[index].number == number) return &faults_calls[index];
  return NULL;
}

/// Reads up to `size` bytes of another process, to the end of what is mapped there.
static size_t read_memory(pid_t thread, unsigned long long address, void *bytes, size_t size) {
  size_t done = 0;
  while (done < size) {
    // A read across an unmapped page fails completely, so each read ends at a page boundary.
    size_t rest = 4096 - (address + done) % 4096;
    if (rest > size - done) rest = size - done;
    struct iovec here = {(char *)bytes + done, rest};
    struct iovec there = {(void *)(uintptr_t)(address + done), rest};
    ssize_t count = process_vm_readv(thread, &here, 1, &there, 1, 0);
    if (count <= 0) break;
    done += (size_t)count;
  }
  return done;
}

/// The path of an open file, or of the working directory; returns the length, 0 if there is none.
static size_t path_of_descriptor(pid_t thread, int descriptor, char *path, size_t size) {
  char link[64];
  if (descriptor == AT_FDCWD)
    snprintf(link, sizeof link, "/proc/%d/cwd", (int)thread);
  else
    snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)thread, descriptor);
  ssize_t length = readlink(link, path, size - 1);
  if (length < 0) length = 0;
  path[length] = 0;
  return (size_t)length;
}

void faults_path_of(const struct call *call, pid_t thread, const unsigned long long arguments[6], char *path, size_t size) {
  path[0] = 0;
  int descriptor = call->descriptor < 0 ? AT_FDCWD : (int)arguments[(int)call->descriptor];
  if (call->path < 0) {
    path_of_descriptor(thread, descriptor, path, size);
    return;
  }
  char name[1024];
  size_t length = read_memory(thread, arguments[(int)call->path], name, sizeof name - 1);
  name[length] = 0;
  size_t start = name[0] == '/' ? 0 : path_of_descriptor(thread, descriptor, path, size);
  snprintf(path + start, size - start, "%s%s", start ? "/" : "", name);
}

int faults_takes_lock(const struct call *call, pid_t thread, const unsigned long long arguments[6]) {
  if (call->kind == FAULTS_FLOCK) return ((int)arguments[1] & LOCK_UN) == 0;
  if (call->kind != FAULTS_FCNTL) return 1;
  switch ((int)arguments[1]) {
  case F_SETLK:
  case F_SETLKW:
  case F_OFD_SETLK:
  case F_OFD_SETLKW: break;
  default: return 0;
  }
  struct flock lock;
  return read_memory(thread, arguments[2], &lock, sizeof lock) == sizeof lock && lock.l_type != F_UNLCK;
}

#endif
