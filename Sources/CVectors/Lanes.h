// The one order of summation that all float32 kernels share.
//
// Element i of every full block of 64 goes to lane i % 64; what is left goes to lanes 0...15, 16 at a time, the last 16
// padded with zeros. Then lanes fold: 64 to 16 as (0 + 1) + (2 + 3), then in halves to 8, 4, 2, 1. The bits of a result
// depend on this order and on multiply and add being rounded separately, so fused multiply-add stays off. It costs
// nothing here: the kernels wait for loads.

#ifndef CVECTORS_LANES_H
#define CVECTORS_LANES_H

#include "CVectors.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Rows are little-endian float32 and are read in place."
#endif
#ifdef __FAST_MATH__
#error "Fast math reorders sums; scores would differ between machines."
#endif

#pragma STDC FP_CONTRACT OFF

/// A body that is compiled once into each of its callers, for the caller's instruction set. Vectors stay inside it:
/// as arguments or results they would change the calling convention with the instruction set.
#define LANES_BODY static inline __attribute__((always_inline, unused))

typedef float lanes16 __attribute__((vector_size(64)));
typedef float lanes8 __attribute__((vector_size(32)));
typedef float lanes4 __attribute__((vector_size(16)));

/// Sixteen floats at any byte.
typedef float unaligned16 __attribute__((vector_size(64), aligned(1), may_alias));

/// A float at any byte.
typedef float unaligned1 __attribute__((aligned(1), may_alias));

#define LOAD16(row, index) ((lanes16)(*(const unaligned16 *)((const char *)(row) + 4 * (index))))
#define LOAD1(row, index) (*(const unaligned1 *)((const char *)(row) + 4 * (index)))

/// Copies the last `count` (fewer than 16) floats at `row` into `padded` and zeros behind them.
LANES_BODY void pad16(lanes16 *padded, const void *row, size_t count) {
  *padded = (lanes16){0};
  __builtin_memcpy(padded, row, 4 * count);
}

/// Adds up 16 lanes.
LANES_BODY float fold16(const lanes16 *lanes) {
  lanes16 v = *lanes;
  lanes8 by8 = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7)
             + __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  lanes4 by4 = __builtin_shufflevector(by8, by8, 0, 1, 2, 3) + __builtin_shufflevector(by8, by8, 4, 5, 6, 7);
  return (by4[0] + by4[2]) + (by4[1] + by4[3]);
}

/// Adds up 64 lanes.
LANES_BODY float fold64(const lanes16 lanes[4]) {
  lanes16 sum = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  return fold16(&sum);
}

/// Adds up 64 lanes in plain C, in the same order.
LANES_BODY float fold64_scalar(float lanes[64]) {
  for (size_t i = 0; i < 16; i++) {
    lanes[i] = (lanes[i] + lanes[16 + i]) + (lanes[32 + i] + lanes[48 + i]);
  }
  for (size_t half = 8; half > 0; half /= 2) {
    for (size_t i = 0; i < half; i++) lanes[i] += lanes[half + i];
  }
  return lanes[0];
}

/// The lane of element `i` of a row of `count`.
LANES_BODY size_t lane_of(size_t i, size_t count) {
  return i < count / 64 * 64 ? i % 64 : i % 16;
}

/// Defines `cvectors_NAME` from two bodies: `NAME_lanes`, compiled once for each instruction set that has vectors, and
/// `NAME_scalar`. The file that uses it defines PARAMETERS and ARGUMENTS, which hold commas.
#if defined(__x86_64__)
#define DEFINE_KERNEL(RESULT, NAME)                                                                                 \
  __attribute__((target("avx2"))) static RESULT NAME##_avx2(PARAMETERS) { return NAME##_lanes(ARGUMENTS); }         \
  __attribute__((target("avx512f"))) static RESULT NAME##_avx512(PARAMETERS) { return NAME##_lanes(ARGUMENTS); }    \
  RESULT cvectors_##NAME(cvectors_instruction_set set, PARAMETERS) {                                                \
    switch (set) {                                                                                                  \
    case CVECTORS_AVX512: return NAME##_avx512(ARGUMENTS);                                                          \
    case CVECTORS_AVX2: return NAME##_avx2(ARGUMENTS);                                                              \
    default: return NAME##_scalar(ARGUMENTS);                                                                       \
    }                                                                                                               \
  }
#elif defined(__aarch64__)
#define DEFINE_KERNEL(RESULT, NAME)                                                                                 \
  RESULT cvectors_##NAME(cvectors_instruction_set set, PARAMETERS) {                                                \
    return set == CVECTORS_NEON ? NAME##_lanes(ARGUMENTS) : NAME##_scalar(ARGUMENTS);                               \
  }
#else
#define DEFINE_KERNEL(RESULT, NAME)                                                                                 \
  RESULT cvectors_##NAME(cvectors_instruction_set set, PARAMETERS) {                                                \
    (void)set;                                                                                                      \
    return NAME##_scalar(ARGUMENTS);                                                                                \
  }
#endif

#endif
