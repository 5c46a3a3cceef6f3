// What the kernels are compiled for.

#ifndef CVECTORS_INSTRUCTION_SET_H
#define CVECTORS_INSTRUCTION_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What a kernel is compiled for. `scalar` is plain C and runs everywhere.
typedef enum __attribute__((enum_extensibility(closed))) : uint8_t {
  CVECTORS_SCALAR __attribute__((swift_name("scalar"))) = 0,
  CVECTORS_NEON __attribute__((swift_name("neon"))) = 1,
  CVECTORS_AVX2 __attribute__((swift_name("avx2"))) = 2,
  CVECTORS_AVX512 __attribute__((swift_name("avx512"))) = 3,
} cvectors_instruction_set;

/// Whether this processor and operating system can run `set`. The kernels do not ask again, but for one thing: on a
/// processor whose AVX-512 lacks the integer extensions of 2019, `avx512` runs the AVX2 version of an integer kernel.
bool cvectors_is_supported(cvectors_instruction_set set);

#endif
