#pragma once

#include <stddef.h>
#include <sys/types.h>

/// What a system call that is counted has where among its arguments; -1 for what it has not.
struct call {
  long number;
  const char *name;
  unsigned kind;
  signed char descriptor;  // of the file, or of the directory of `path`
  signed char path;
  signed char length;      // bytes or buffers, of a read or a write
};

extern const struct call faults_calls[];
extern const size_t faults_call_count;

/// Null if it is not counted.
const struct call *faults_find_call(long number);

/// The absolute path of the file that a call is about, as far as it can be told; empty if it cannot.
void faults_path_of(const struct call *call, pid_t thread, const unsigned long long arguments[6], char *path, size_t size);

/// Whether `fcntl` or `flock` takes a lock here; true of all other calls.
int faults_takes_lock(const struct call *call, pid_t thread, const unsigned long long arguments[6]);
