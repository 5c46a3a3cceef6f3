#pragma once

#include <stddef.h>
#include <sys/types.h>

/// The positions of the arguments of a counted system call; -1 for absent ones.
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

/// The absolute path of the file of a call; empty if unknown.
void faults_path_of(const struct call *call, pid_t thread, const unsigned long long arguments[6], char *path, size_t size);

/// Whether `fcntl` or `flock` takes a lock; true for all other calls.
int faults_takes_lock(const struct call *call, pid_t thread, const unsigned long long arguments[6]);
