#include "CVectors.h"
#include "Integers.h"

bool cvectors_is_supported(cvectors_instruction_set set) {
  switch (set) {
  case CVECTORS_SCALAR:
    return true;
  case CVECTORS_NEON:
#if defined(__aarch64__)
    return true;
#else
    return false;
#endif
#if defined(__x86_64__)
  case CVECTORS_AVX2:
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2");
  case CVECTORS_AVX512:
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f");
#else
  case CVECTORS_AVX2:
  case CVECTORS_AVX512:
    return false;
#endif
  }
  return false;
}

bool cvectors_runs_avx512_integers(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
      && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi")
      && __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512vpopcntdq");
#else
  return false;
#endif
}
