#pragma once

#include <stdint.h>
#include <sys/types.h>

/// Runs a program and injects a fault into one of its system calls: kills it there, lets the call fail, or freezes it.
///
/// Linux only, on x86-64 and 64-bit ARM. A seccomp filter in the kernel reports only the calls of `enum faults_call`, and
/// ptrace stops at each, so that every such call is seen (of a library, the loader, or inside the C library) and the
/// program runs at nearly full speed in between. Nothing is preloaded or linked into it.

/// The calls that are counted: of `fcntl` only those for locks, of `flock` and `fcntl` none that release a lock.
enum faults_call {
  FAULTS_OPEN = 1 << 0,        // open, openat, openat2, creat
  FAULTS_READ = 1 << 1,        // read, readv
  FAULTS_PREAD = 1 << 2,       // pread, preadv, preadv2
  FAULTS_WRITE = 1 << 3,       // write
  FAULTS_WRITEV = 1 << 4,      // writev
  FAULTS_PWRITE = 1 << 5,      // pwrite, pwritev, pwritev2
  FAULTS_FSYNC = 1 << 6,
  FAULTS_FDATASYNC = 1 << 7,
  FAULTS_FTRUNCATE = 1 << 8,   // and truncate
  FAULTS_FALLOCATE = 1 << 9,
  FAULTS_MMAP = 1 << 10,       // of files
  FAULTS_FLOCK = 1 << 11,
  FAULTS_FCNTL = 1 << 12,      // F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW
  FAULTS_UNLINK = 1 << 13,     // unlink, unlinkat, rmdir
  FAULTS_RENAME = 1 << 14,     // rename, renameat, renameat2
  FAULTS_MKDIR = 1 << 15,      // mkdir, mkdirat
};

enum faults_action {
  /// SIGKILL before the call is made.
  FAULTS_KILL,
  /// The call is not made and fails with `error`.
  FAULTS_FAIL,
  /// A read or a write of half of the bytes, or of the buffers; other calls are made as they are.
  FAULTS_SHORTEN,
  /// All threads stop after the call; then `frozen` is called, and then SIGKILL ends the program.
  FAULTS_FREEZE,
};

struct faults_plan {
  /// Ends with a null; the first is the path of the program.
  char *const *arguments;
  /// Ends with a null.
  char *const *environment;
  /// Files for the standard streams; the last two must exist.
  const char *input, *output, *errors;

  /// Only calls on this absolute path and those below it count; empty for all.
  const char *below;
  /// A set of `enum faults_call`.
  uint32_t calls;
  /// The number of the call to inject into, from 1; 0 to count the calls only.
  long at;
  /// Whether all later calls fail too.
  int is_lasting;
  enum faults_action action;
  int error;

  /// The time after which the program is killed.
  int deadline_milliseconds;
  void (*frozen)(void *context);
  void *context;
};

/// Bits of `enum faults_call`.
enum { FAULTS_CALL_KINDS = 16 };

struct faults_result {
  /// The number of calls counted.
  long calls;
  /// The number of calls of each kind, selected or not, by the number of its bit.
  long calls_of_kind[FAULTS_CALL_KINDS];
  /// Whether the call was reached, its kind, and its file.
  int is_struck;
  char call[16];
  char path[1024];
  /// The status of waitpid.
  int status;
  /// Whether it was killed at the deadline.
  int is_late;
};

/// Runs the program to its end. Processes that it starts run without faults, and are waited for.
///
/// - Returns: 0, or an `errno` if it could not be run or traced.
int faults_run(const struct faults_plan *plan, struct faults_result *result);

/// Why this system is unsupported; null if it is supported.
const char *faults_unsupported(void);
