#pragma once

#include <sys/types.h>

/// Makes the kernel skip the call that a thread is about to make, which then returns an error.
int faults_fail_call(pid_t thread, int error);

/// Changes an argument of the call that a thread is about to make.
int faults_set_argument(pid_t thread, int index, unsigned long long value);
