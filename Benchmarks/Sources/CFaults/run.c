#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CFaults.h"

#include <errno.h>

#if !defined(__linux__)

const char *faults_unsupported(void) { return "system calls are struck by ptrace and seccomp, which only Linux has"; }

int faults_run(const struct faults_plan *plan, struct faults_result *result) { return (void)plan, (void)result, ENOTSUP; }

#else

#include <dirent.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"
#include "registers.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE 0
#endif

// MARK: The child before exec

/// Makes the kernel report the counted calls of this process and its descendants.
static int install_filter(void) {
  enum { most = 64 };
  struct sock_filter filter[most];
  size_t count = 0;
  // More than 64 calls would not fit; there are 30.
  filter[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
  filter[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
  filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (size_t index = 0; index < faults_call_count && count < most - 2; index++)
    filter[count++] = (struct sock_filter)BPF_JUMP(
      BPF_JMP | BPF_JEQ | BPF_K, (unsigned)faults_calls[index].number, (unsigned char)(faults_call_count - index), 0);
  filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
  struct sock_fprog program = {(unsigned short)count, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? 0 : errno;
}

/// Opens a file as a standard stream.
static int redirect(const char *path, int flags, int stream) {
  int descriptor = open(path, flags);
  return descriptor >= 0 && dup2(descriptor, stream) == stream && (descriptor == stream || close(descriptor) == 0);
}

/// In the child after fork: async-signal-safe calls only.
_Noreturn static void become(const struct faults_plan *plan, int go) {
  setpgid(0, 0);
  char byte;
  // Waits until it is traced; exits if the tracer has ended.
  if (read(go, &byte, 1) != 1) _exit(126);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  if (redirect(plan->input, O_RDONLY, 0) && redirect(plan->output, O_WRONLY | O_APPEND, 1)
      && redirect(plan->errors, O_WRONLY | O_APPEND, 2) && install_filter() == 0)
    execve(plan->arguments[0], plan->arguments, plan->environment);
  _exit(126);
}

// MARK: The deadline

/// Kills the program's process group at the deadline.
struct watch {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  pid_t program;
  int milliseconds;
  int is_over;
  int has_struck;
};

static void *watch_until(void *argument) {
  struct watch *watch = argument;
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += watch->milliseconds / 1000;
  end.tv_nsec += watch->milliseconds % 1000 * 1000000L;
  if (end.tv_nsec >= 1000000000L) end.tv_sec++, end.tv_nsec -= 1000000000L;
  pthread_mutex_lock(&watch->mutex);
  while (!watch->is_over && pthread_cond_clockwait(&watch->changed, &watch->mutex, CLOCK_MONOTONIC, &end) != ETIMEDOUT) {}
  if (!watch->is_over) {
    watch->has_struck = 1;
    kill(-watch->program, SIGKILL);
  }
  pthread_mutex_unlock(&watch->mutex);
  return NULL;
}

static void end_watch(struct watch *watch) {
  pthread_mutex_lock(&watch->mutex);
  watch->is_over = 1;
  pthread_cond_signal(&watch->changed);
  pthread_mutex_unlock(&watch->mutex);
}

// MARK: The tracer

struct run {
  const struct faults_plan *plan;
  struct faults_result *result;
  struct watch *watch;
  pid_t program;
  /// The thread that makes the call after which the program is frozen.
  pid_t freezing;
  /// The `errno` of a failed request to the program.
  int failure;
};

/// Whether a thread belongs to the program, not to a process that it started.
static int is_of(pid_t program, pid_t thread) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task/%d", (int)program, (int)thread);
  return access(path, F_OK) == 0;
}

static int is_below(const char *path, const char *directory) {
  size_t length = strlen(directory);
  return strncmp(path, directory, length) == 0 && (path[length] == 0 || path[length] == '/');
}

/// Stops every other thread of the program.
static void stop_others(pid_t program, pid_t standing) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", (int)program);
  // A thread may begin meanwhile: repeats until there is no new one.
  for (int stopped = 1, pass = 0; stopped && pass < 10; pass++) {
    stopped = 0;
    DIR *threads = opendir(path);
    if (!threads) return;
    for (struct dirent *entry; (entry = readdir(threads));) {
      pid_t thread = (pid_t)atoi(entry->d_name);
      int status;
      if (thread <= 0 || thread == standing || ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) != 0) continue;
      // A stopped thread reports no more; a report of another one is its stop or its end.
      if (pass == 0) stopped += waitpid(thread, &status, __WALL) == thread;
      else stopped += waitpid(thread, &status, __WALL | WNOHANG) == thread;
    }
    closedir(threads);
  }
}

/// Keeps the reason why a fault could not be injected, unless the thread ended because another one ended the program.
static void note(struct run *run, int failure) {
  if (failure && failure != ESRCH) run->failure = failure;
}

/// Decides about a call that is about to be made.
///
/// - Returns: The ptrace request that continues the thread.
static int on_call(struct run *run, pid_t thread) {
  const struct faults_plan *plan = run->plan;
  struct faults_result *result = run->result;
  struct __ptrace_syscall_info info;
  if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0) return PTRACE_CONT;
  if (info.op != PTRACE_SYSCALL_INFO_SECCOMP) return PTRACE_CONT;
  unsigned long long arguments[6];
  for (int index = 0; index < 6; index++) arguments[index] = info.seccomp.args[index];
  const struct call *call = faults_find_call((long)info.seccomp.nr);
  if (!call || !is_of(run->program, thread)) return PTRACE_CONT;
  char path[sizeof result->path];
  faults_path_of(call, thread, arguments, path, sizeof path);
  if (!is_below(path, plan->below) || !faults_takes_lock(call, thread, arguments)) return PTRACE_CONT;

  result->calls_of_kind[__builtin_ctz(call->kind)]++;
  if (!(call->kind & plan->calls)) return PTRACE_CONT;
  result->calls++;
  if (plan->at == 0 || (plan->is_lasting ? result->calls < plan->at : result->calls != plan->at)) return PTRACE_CONT;
  if (!result->is_struck) {
    result->is_struck = 1;
    snprintf(result->call, sizeof result->call, "%s", call->name);
    snprintf(result->path, sizeof result->path, "%s", path);
  }
  switch (plan->action) {
  case FAULTS_KILL: kill(run->program, SIGKILL); return PTRACE_CONT;
  case FAULTS_FAIL: note(run, faults_fail_call(thread, plan->error)); return PTRACE_CONT;
  case FAULTS_SHORTEN:
    if (call->length >= 0 && arguments[(int)call->length] > 1)
      note(run, faults_set_argument(thread, call->length, arguments[(int)call->length] / 2));
    return PTRACE_CONT;
  // After the call, when the lock it takes is held.
  case FAULTS_FREEZE: run->freezing = thread; return PTRACE_SYSCALL;
  }
  return PTRACE_CONT;
}

/// Calls `frozen` while the program is stopped, then kills it.
static void on_frozen(struct run *run, pid_t thread) {
  stop_others(run->program, thread);
  // The program is stopped until the callback returns.
  end_watch(run->watch);
  run->plan->frozen(run->plan->context);
  kill(run->program, SIGKILL);
}

/// Handles one stop of one thread.
static void on_stop(struct run *run, pid_t thread, int status) {
  int event = status >> 16, signal = WSTOPSIG(status), request = PTRACE_CONT, deliver = 0;
  if (event == PTRACE_EVENT_SECCOMP) {
    request = on_call(run, thread);
  } else if (event == PTRACE_EVENT_STOP) {
    // A thread that just began, or one stopped by a signal.
    if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) request = PTRACE_LISTEN;
  } else if (signal == (SIGTRAP | 0x80)) {
    on_frozen(run, thread);
  } else if (event == 0) {
    deliver = signal;
    // A signal before the end of the call.
    if (thread == run->freezing) request = PTRACE_SYSCALL;
  }
  // ESRCH: it was killed meanwhile, and its end is reported next.
  ptrace(request, thread, NULL, (void *)(long)deliver);
}

static void trace(struct run *run) {
  for (;;) {
    int status;
    // Not the children of other threads of this process.
    pid_t thread = waitpid(-1, &status, __WALL | __WNOTHREAD);
    if (thread < 0 && errno == EINTR) continue;
    if (thread < 0) return;
    if (WIFSTOPPED(status)) {
      on_stop(run, thread, status);
    } else if (thread == run->program) {
      run->result->status = status;
    }
  }
}

int faults_run(const struct faults_plan *plan, struct faults_result *result) {
  memset(result, 0, sizeof *result);
  int go[2];
  if (pipe2(go, O_CLOEXEC) != 0) return errno;
  pid_t program = fork();
  if (program == 0) {
    close(go[1]);
    become(plan, go[0]);
  }
  int failure = program < 0 ? errno : 0;
  close(go[0]);
  if (failure) return close(go[1]), failure;

  long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE
    | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
  if (ptrace(PTRACE_SEIZE, program, NULL, (void *)options) != 0) failure = errno;
  struct watch watch = {.program = program, .milliseconds = plan->deadline_milliseconds};
  pthread_mutex_init(&watch.mutex, NULL);
  pthread_cond_init(&watch.changed, NULL);
  pthread_t watcher;
  if (!failure) failure = pthread_create(&watcher, NULL, watch_until, &watch);
  int is_watched = !failure;
  // A child that was not continued reads the end of the pipe, and exits.
  if (!failure && write(go[1], "", 1) != 1) failure = errno;
  close(go[1]);

  struct run run = {.plan = plan, .result = result, .watch = &watch, .program = program};
  trace(&run);
  if (is_watched) {
    end_watch(&watch);
    pthread_join(watcher, NULL);
  }
  result->is_late = watch.has_struck;
  pthread_cond_destroy(&watch.changed);
  pthread_mutex_destroy(&watch.mutex);
  return failure ? failure : run.failure;
}

const char *faults_unsupported(void) {
  if (ARCHITECTURE == 0) return "system calls are struck on x86-64 and 64-bit ARM only";
  char *const arguments[] = {"/bin/true", NULL};
  struct faults_plan plan = {
    .arguments = arguments, .environment = (char *const[]){NULL}, .input = "/dev/null", .output = "/dev/null",
    .errors = "/dev/null", .below = "", .calls = FAULTS_OPEN, .deadline_milliseconds = 60000};
  struct faults_result result;
  int failure = faults_run(&plan, &result);
  if (failure || result.status != 0 || result.calls == 0)
    return "ptrace or seccomp is not allowed here; in a container, allow SYS_PTRACE";
  return NULL;
}

#endif
