#ifdef __linux__

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "registers.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#if defined(__x86_64__)

static unsigned long long *argument_of(struct user_regs_struct *registers, int index) {
  switch (index) {
  case 0: return &registers->rdi;
  case 1: return &registers->rsi;
  case 2: return &registers->rdx;
  case 3: return &registers->r10;
  case 4: return &registers->r8;
  default: return &registers->r9;
  }
}

int faults_fail_call(pid_t thread, int error) {
  struct user_regs_struct registers;
  if (ptrace(PTRACE_GETREGS, thread, NULL, &registers) != 0) return errno;
  registers.orig_rax = (unsigned long long)-1;
  registers.rax = (unsigned long long)-(long long)error;
  return ptrace(PTRACE_SETREGS, thread, NULL, &registers) == 0 ? 0 : errno;
}

int faults_set_argument(pid_t thread, int index, unsigned long long value) {
  struct user_regs_struct registers;
  if (ptrace(PTRACE_GETREGS, thread, NULL, &registers) != 0) return errno;
  *argument_of(&registers, index) = value;
  return ptrace(PTRACE_SETREGS, thread, NULL, &registers) == 0 ? 0 : errno;
}

#elif defined(__aarch64__)

static int set_register(pid_t thread, int index, unsigned long long value) {
  struct user_regs_struct registers;
  struct iovec bytes = {&registers, sizeof registers};
  if (ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &bytes) != 0) return errno;
  registers.regs[index] = value;
  return ptrace(PTRACE_SETREGSET, thread, NT_PRSTATUS, &bytes) == 0 ? 0 : errno;
}

int faults_fail_call(pid_t thread, int error) {
  int none = -1;
  struct iovec bytes = {&none, sizeof none};
  if (ptrace(PTRACE_SETREGSET, thread, NT_ARM_SYSTEM_CALL, &bytes) != 0) return errno;
  return set_register(thread, 0, (unsigned long long)-(long long)error);
}

int faults_set_argument(pid_t thread, int index, unsigned long long value) { return set_register(thread, index, value); }

#else

int faults_fail_call(pid_t thread, int error) { return (void)thread, (void)error, ENOTSUP; }
int faults_set_argument(pid_t thread, int index, unsigned long long value) {
  return (void)thread, (void)index, (void)value, ENOTSUP;
}

#endif
#endif
