// Tells the thread sanitizer of three hand-overs between threads that it cannot see, because Swift's libraries on Linux are not
// instrumented. `.ci/threads` loads this before them.
//
// - A Mutex that another thread holds is handed over by the kernel. Without contention it is taken and released by atomic
//   operations in instrumented code.
// - A task that is resumed before it waits goes on at once. Who resumes it releases the task for the sanitizer; here it is acquired.
// - A buffer of which there is one reference left is written to in place. The others were let go of by an atomic count.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

// Missing in programs without the sanitizer, such as shells that a test starts.
void __tsan_acquire(void *) __attribute__((weak));
void __tsan_release(void *) __attribute__((weak));

static void acquire(void *address) {
  if (address && __tsan_acquire) __tsan_acquire(address);
}

static void release(void *address) {
  if (address && __tsan_release) __tsan_release(address);
}

// The function that the one of this file stands before.
#define NEXT(function, name)         \
  static __typeof__(&function) next; \
  if (!next) next = (__typeof__(&function))dlsym(RTLD_NEXT, name)

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void mutex_lock(uint32_t thread, SELF self) __asm__(LOCK);
SWIFT bool mutex_try_lock(SELF self) __asm__(TRY_LOCK);
SWIFT void mutex_unlock(SELF self) __asm__(UNLOCK);

SWIFT void mutex_lock(uint32_t thread, SELF self) {
  NEXT(mutex_lock, LOCK);
  next(thread, self);
  acquire(self);
}

SWIFT bool mutex_try_lock(SELF self) {
  NEXT(mutex_try_lock, TRY_LOCK);
  bool isLocked = next(self);
  if (isLocked) acquire(self);
  return isLocked;
}

SWIFT void mutex_unlock(SELF self) {
  NEXT(mutex_unlock, UNLOCK);
  release(self);
  next(self);
}

void *swift_task_getCurrent(void) __attribute__((weak));

// What a function does first when it goes on after a call that waited.
void swift_task_dealloc(void *memory) {
  NEXT(swift_task_dealloc, "swift_task_dealloc");
  acquire(swift_task_getCurrent());
  next(memory);
}

// Whoever lets go of an object releases it, and who finds himself alone with it acquires it.
void swift_release(void *object) {
  NEXT(swift_release, "swift_release");
  release(object);
  next(object);
}

void swift_bridgeObjectRelease(void *object) {
  NEXT(swift_bridgeObjectRelease, "swift_bridgeObjectRelease");
  // The highest bit marks what is not counted; others are those of kinds of strings.
  if ((intptr_t)object > 0) release((void *)((uintptr_t)object & 0x0ffffffffffffff8));
  next(object);
}

bool swift_isUniquelyReferenced_native(void *object) {
  NEXT(swift_isUniquelyReferenced_native, "swift_isUniquelyReferenced_native");
  bool isUnique = next(object);
  if (isUnique) acquire(object);
  return isUnique;
}

bool swift_isUniquelyReferenced_nonNull_native(void *object) {
  NEXT(swift_isUniquelyReferenced_nonNull_native, "swift_isUniquelyReferenced_nonNull_native");
  bool isUnique = next(object);
  if (isUnique) acquire(object);
  return isUnique;
}
