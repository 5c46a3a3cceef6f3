// A row is written whether it is selected or not, and the next one goes over it unless it was: no branch to predict.
// AVX-512 compresses in registers and stores whole ones, because compressing into memory is slow on some processors.
// What is stored too much stays inside the room for `count`: no more rows are selected than were read.

#include "Integers.h"

SHARED_BODY size_t select_masked_body(const uint8_t *mask, size_t count, uint32_t base, uint32_t *out) {
  size_t selected = 0;
  for (size_t i = 0; i < count; i++) {
    out[selected] = base + (uint32_t)i;
    selected += mask[i] & 1;
  }
  return selected;
}

SHARED_BODY size_t select_at_most_body(
  const uint16_t *values, const uint8_t *mask, size_t count, uint16_t limit, uint32_t base, uint32_t *out_rows,
  uint16_t *out_values) {
  size_t selected = 0;
  for (size_t i = 0; i < count; i++) {
    out_rows[selected] = base + (uint32_t)i;
    out_values[selected] = values[i];
    selected += (size_t)(values[i] <= limit) & (mask ? mask[i] & 1 : 1);
  }
  return selected;
}

#if defined(__x86_64__)
#include <immintrin.h>

/// The indexes `first`...`first + 15`, of those the selected ones in front.
AVX512 static inline __attribute__((always_inline)) __m512i selected_rows(uint32_t first, __mmask16 selected) {
  __m512i steps = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return _mm512_maskz_compress_epi32(selected, _mm512_add_epi32(_mm512_set1_epi32((int)first), steps));
}

AVX512 static size_t select_masked_avx512(const uint8_t *mask, size_t count, uint32_t base, uint32_t *out) {
  size_t selected = 0, i = 0;
  for (; i + 16 <= count; i += 16) {
    __mmask16 in = _mm_movepi8_mask(_mm_loadu_si128((const __m128i *)(mask + i)));
    _mm512_storeu_si512(out + selected, selected_rows(base + (uint32_t)i, in));
    selected += (size_t)__builtin_popcount(in);
  }
  return selected + select_masked_body(mask + i, count - i, base + (uint32_t)i, out + selected);
}

AVX512 static size_t select_at_most_avx512(
  const uint16_t *values, const uint8_t *mask, size_t count, uint16_t limit, uint32_t base, uint32_t *out_rows,
  uint16_t *out_values) {
  size_t selected = 0, i = 0;
  for (; i + 32 <= count; i += 32) {
    __m512i block = _mm512_loadu_si512(values + i);
    __mmask32 in = _mm512_cmple_epu16_mask(block, _mm512_set1_epi16((short)limit));
    if (mask) in &= _mm256_movepi8_mask(_mm256_loadu_si256((const __m256i *)(mask + i)));
    if (in == 0) continue;
    uint32_t first = base + (uint32_t)i;
    size_t low = (size_t)__builtin_popcount(in & 0xFFFF);
    _mm512_storeu_si512(out_values + selected, _mm512_maskz_compress_epi16(in, block));
    _mm512_storeu_si512(out_rows + selected, selected_rows(first, (__mmask16)in));
    _mm512_storeu_si512(out_rows + selected + low, selected_rows(first + 16, (__mmask16)(in >> 16)));
    selected += (size_t)__builtin_popcount(in);
  }
  return selected
       + select_at_most_body(
           values + i, mask ? mask + i : mask, count - i, limit, base + (uint32_t)i, out_rows + selected,
           out_values + selected);
}
#endif

#define PARAMETERS const uint8_t *mask, size_t count, uint32_t base, uint32_t *out
#define ARGUMENTS mask, count, base, out
DEFINE_KERNEL_WITH_AVX512(size_t, select_masked)
#undef PARAMETERS
#undef ARGUMENTS

#define PARAMETERS                                                                                                   \
  const uint16_t *values, const uint8_t *mask, size_t count, uint16_t limit, uint32_t base, uint32_t *out_rows,      \
    uint16_t *out_values
#define ARGUMENTS values, mask, count, limit, base, out_rows, out_values
DEFINE_KERNEL_WITH_AVX512(size_t, select_at_most)
