#include "Integers.h"

typedef uint32_t unaligned_uint32 __attribute__((aligned(1), may_alias));
typedef int64_t unaligned_int64 __attribute__((aligned(1), may_alias));

SHARED_BODY void mask_bits_body(const uint8_t *values, size_t count, uint32_t admitted, uint8_t *mask) {
  for (size_t i = 0; i < count; i++) {
    uint32_t bit = values[i] < 32 ? admitted >> (values[i] & 31) & 1 : 0;
    mask[i] = (uint8_t)(0 - bit);
  }
}

SHARED_BODY void mask_equal8_body(const void *column, size_t count, uint8_t value, uint8_t *mask) {
  const uint8_t *values = column;
  for (size_t i = 0; i < count; i++) mask[i] &= values[i] == value ? 0xFF : 0;
}

SHARED_BODY void mask_equal32_body(const void *column, size_t count, uint32_t value, uint8_t *mask) {
  const unaligned_uint32 *values = column;
  for (size_t i = 0; i < count; i++) mask[i] &= values[i] == value ? 0xFF : 0;
}

SHARED_BODY void mask_range64_body(const void *column, size_t count, int64_t low, int64_t high, uint8_t *mask) {
  const unaligned_int64 *values = column;
  for (size_t i = 0; i < count; i++) mask[i] &= ((values[i] >= low) & (values[i] <= high)) ? 0xFF : 0;
}

SHARED_BODY size_t count_masked_body(const uint8_t *mask, size_t count) {
  size_t bits = 0, i = 0;
  for (; i + 8 <= count; i += 8) bits += (size_t)__builtin_popcountll(WORD(mask + i, 0));
  for (; i < count; i++) bits += (size_t)__builtin_popcount(mask[i]);
  return bits / 8;
}

#if defined(__x86_64__)
#include <immintrin.h>

/// The 32 bits become a table of 64 bytes, in which one instruction looks up 64 rows.
AVX512 static void mask_bits_avx512(const uint8_t *values, size_t count, uint32_t admitted, uint8_t *mask) {
  __m512i table = _mm512_movm_epi8(admitted);
  size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    __m512i value = _mm512_loadu_si512(values + i);
    __mmask64 known = _mm512_cmplt_epu8_mask(value, _mm512_set1_epi8(32));
    _mm512_storeu_si512(mask + i, _mm512_maskz_permutexvar_epi8(known, value, table));
  }
  mask_bits_body(values + i, count - i, admitted, mask + i);
}
#endif

#define PARAMETERS const uint8_t *values, size_t count, uint32_t admitted, uint8_t *mask
#define ARGUMENTS values, count, admitted, mask
DEFINE_KERNEL_WITH_AVX512(void, mask_bits)
#undef PARAMETERS
#undef ARGUMENTS

#define PARAMETERS const void *column, size_t count, uint8_t value, uint8_t *mask
#define ARGUMENTS column, count, value, mask
DEFINE_INTEGER_KERNEL(void, mask_equal8)
#undef PARAMETERS

#define PARAMETERS const void *column, size_t count, uint32_t value, uint8_t *mask
DEFINE_INTEGER_KERNEL(void, mask_equal32)
#undef PARAMETERS
#undef ARGUMENTS

#define PARAMETERS const void *column, size_t count, int64_t low, int64_t high, uint8_t *mask
#define ARGUMENTS column, count, low, high, mask
DEFINE_INTEGER_KERNEL(void, mask_range64)
#undef PARAMETERS
#undef ARGUMENTS

#define PARAMETERS const uint8_t *mask, size_t count
#define ARGUMENTS mask, count
DEFINE_INTEGER_KERNEL(size_t, count_masked)
