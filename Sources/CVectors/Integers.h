// How integer kernels are compiled and chosen.
//
// Integers add up to the same in any order, so a body may be left to the compiler: `NAME_body` is compiled once for
// each instruction set, and NEON, which every 64-bit ARM has, needs no second version. Where AVX-512 deserves its own,
// the file writes `NAME_avx512` itself.

#ifndef CVECTORS_INTEGERS_H
#define CVECTORS_INTEGERS_H

#include "CVectors.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Codes and columns are little-endian and are read in place."
#endif

/// Whether the processor has what `AVX512` below names: Ice Lake, Zen 4 and later.
bool cvectors_runs_avx512_integers(void);

/// Every processor with AVX2 counts bits.
#define AVX2 __attribute__((target("avx2,popcnt")))
#define AVX512                                                                                                       \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,popcnt")))

/// A body that is compiled into each of its callers, for the caller's instruction set.
#define SHARED_BODY static inline __attribute__((always_inline, unused))

typedef uint64_t unaligned_word __attribute__((aligned(1), may_alias));
#define WORD(start, index) (((const unaligned_word *)(start))[index])

/// Asks for every cache line of `count` bytes.
SHARED_BODY void fetch(const char *start, size_t count) {
  const char *line = start - (uintptr_t)start % 64;
  for (; line < start + count; line += 64) __builtin_prefetch(line);
}

/// The first defines `cvectors_NAME` from `NAME_body` and a file's own `NAME_avx512`, the second from `NAME_body`
/// alone. The file that uses them defines PARAMETERS and ARGUMENTS, which hold commas.
#if defined(__x86_64__)
#define DEFINE_KERNEL_WITH_AVX512(RESULT, NAME)                                                                      \
  AVX2 static RESULT NAME##_avx2(PARAMETERS) { return NAME##_body(ARGUMENTS); }                                      \
  RESULT cvectors_##NAME(cvectors_instruction_set set, PARAMETERS) {                                                 \
    if (set == CVECTORS_AVX512 && cvectors_runs_avx512_integers()) return NAME##_avx512(ARGUMENTS);                  \
    if (set == CVECTORS_AVX512 || set == CVECTORS_AVX2) return NAME##_avx2(ARGUMENTS);                               \
    return NAME##_body(ARGUMENTS);                                                                                   \
  }
#define DEFINE_INTEGER_KERNEL(RESULT, NAME)                                                                          \
  AVX512 static RESULT NAME##_avx512(PARAMETERS) { return NAME##_body(ARGUMENTS); }                                  \
  DEFINE_KERNEL_WITH_AVX512(RESULT, NAME)
#else
#define DEFINE_INTEGER_KERNEL(RESULT, NAME)                                                                          \
  RESULT cvectors_##NAME(cvectors_instruction_set set, PARAMETERS) {                                                 \
    (void)set;                                                                                                       \
    return NAME##_body(ARGUMENTS);                                                                                   \
  }
#define DEFINE_KERNEL_WITH_AVX512 DEFINE_INTEGER_KERNEL
#endif

#endif
