// On AVX-512, 32 rows go at a time, two words of each: eight registers of four rows. Counts of up to 64 a word fit a
// byte, so three rounds of packing bring those of eight registers into one, where one multiplication weighs them and
// adds the two words of each row. Elsewhere a row is counted by itself, by an instruction where there is one.

#include "Integers.h"

/// How many rows `distances_at` fetches ahead.
enum { AHEAD = 32 };

SHARED_BODY uint32_t code_distance(const void *code, size_t words, const uint64_t *query) {
  uint32_t ones = 0, twos = 0, fours = 0;
  for (size_t i = 0; i < words; i++) {
    uint64_t differing = WORD(code, i) ^ query[i];
    ones += (uint32_t)__builtin_popcountll(differing & query[words + i]);
    twos += (uint32_t)__builtin_popcountll(differing & query[2 * words + i]);
    fours += (uint32_t)__builtin_popcountll(differing & query[3 * words + i]);
  }
  return ones + 2 * twos + 4 * fours;
}

/// `words` is a constant where this is called for the sizes that matter, so that its loop unrolls.
SHARED_BODY void distances_of(
  const char *codes, size_t rows, size_t words, const uint64_t *query, uint16_t *out) {
  for (size_t row = 0; row < rows; row++) {
    out[row] = (uint16_t)code_distance(codes + 8 * words * row, words, query);
  }
}

SHARED_BODY void code_distances_body(
  const void *codes, size_t rows, size_t words, const uint64_t *query, uint16_t *out) {
  switch (words) {
  case 1: distances_of(codes, rows, 1, query, out); break;
  case 2: distances_of(codes, rows, 2, query, out); break;
  case 4: distances_of(codes, rows, 4, query, out); break;
  default: distances_of(codes, rows, words, query, out);
  }
}

SHARED_BODY void code_distances_at_body(
  const void *codes, size_t words, const uint32_t *rows, size_t count, const uint64_t *query, uint32_t *out) {
  const char *start = codes;
  for (size_t i = 0; i < count; i++) {
    if (i + AHEAD < count) fetch(start + 8 * words * rows[i + AHEAD], 8 * words);
    const char *code = start + 8 * words * rows[i];
    out[i] = words == 4 ? code_distance(code, 4, query) : code_distance(code, words, query);
  }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512_BODY AVX512 static inline __attribute__((always_inline))

/// The query's part for two words, in every lane of 128 bits: signs and three bits of magnitude.
typedef struct {
  __m512i signs, bits[3];
} query_pair;

AVX512_BODY __m512i broadcast_pair(const uint64_t *words) {
  return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)words));
}

AVX512_BODY query_pair load_query_pair(const uint64_t *query, size_t words, size_t word) {
  query_pair pair;
  pair.signs = broadcast_pair(query + word);
  for (size_t bit = 0; bit < 3; bit++) pair.bits[bit] = broadcast_pair(query + (bit + 1) * words + word);
  return pair;
}

/// Counts of eight registers, two words in each of their 128-bit lanes, as bytes of one: lane by lane, and in a lane
/// register by register.
AVX512_BODY __m512i packed_counts(const __m512i differing[8], __m512i bits) {
  __m512i counts[8];
  for (size_t i = 0; i < 8; i++) counts[i] = _mm512_popcnt_epi64(_mm512_and_si512(differing[i], bits));
  for (size_t i = 0; i < 4; i++) counts[i] = _mm512_packus_epi32(counts[2 * i], counts[2 * i + 1]);
  for (size_t i = 0; i < 2; i++) counts[i] = _mm512_packus_epi32(counts[2 * i], counts[2 * i + 1]);
  return _mm512_packus_epi16(counts[0], counts[1]);
}

/// The distances of 32 rows over two words; uint16, in the order of `packed_counts`.
AVX512_BODY __m512i packed_distances(const __m512i codes[8], const query_pair *query) {
  __m512i differing[8];
  for (size_t i = 0; i < 8; i++) differing[i] = _mm512_xor_si512(codes[i], query->signs);
  __m512i ones = _mm512_maddubs_epi16(packed_counts(differing, query->bits[0]), _mm512_set1_epi8(1));
  __m512i twos = _mm512_maddubs_epi16(packed_counts(differing, query->bits[1]), _mm512_set1_epi8(2));
  __m512i fours = _mm512_maddubs_epi16(packed_counts(differing, query->bits[2]), _mm512_set1_epi8(4));
  return _mm512_add_epi16(_mm512_add_epi16(ones, twos), fours);
}

/// Brings packed distances into the order of rows: row 4 * register + lane lies at 8 * lane + register.
AVX512_BODY __m512i in_row_order(__m512i packed) {
  uint16_t order[32];
  for (uint16_t row = 0; row < 32; row++) order[row] = (uint16_t)(row % 4 * 8 + row / 4);
  return _mm512_permutexvar_epi16(_mm512_loadu_si512(order), packed);
}

AVX512_BODY __m512i four_rows(const char *a, const char *b, const char *c, const char *d) {
  __m512i rows = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)a));
  rows = _mm512_inserti32x4(rows, _mm_loadu_si128((const __m128i *)b), 1);
  rows = _mm512_inserti32x4(rows, _mm_loadu_si128((const __m128i *)c), 2);
  return _mm512_inserti32x4(rows, _mm_loadu_si128((const __m128i *)d), 3);
}

/// The distance over the last of an odd number of words.
AVX512_BODY uint32_t last_distance(const char *code, size_t words, const uint64_t *query) {
  const uint64_t part[4] = {
    query[words - 1], query[2 * words - 1], query[3 * words - 1], query[4 * words - 1]};
  return code_distance(code + 8 * (words - 1), 1, part);
}

AVX512 static void code_distances_avx512(
  const void *codes, size_t rows, size_t words, const uint64_t *query, uint16_t *out) {
  const char *code = codes;
  size_t row = 0;
  if (words == 2) {
    query_pair pair = load_query_pair(query, 2, 0);
    for (; row + 32 <= rows; row += 32) {
      __m512i block[8];
      for (size_t i = 0; i < 8; i++) block[i] = _mm512_loadu_si512(code + 16 * row + 64 * i);
      _mm512_storeu_si512(out + row, in_row_order(packed_distances(block, &pair)));
    }
  } else if (words > 2) {
    size_t stride = 8 * words;
    for (; row + 32 <= rows; row += 32) {
      __m512i sum = _mm512_setzero_si512();
      for (size_t word = 0; word + 2 <= words; word += 2) {
        query_pair pair = load_query_pair(query, words, word);
        const char *start = code + stride * row + 8 * word;
        __m512i block[8];
        for (size_t i = 0; i < 8; i++, start += 4 * stride) {
          block[i] = four_rows(start, start + stride, start + 2 * stride, start + 3 * stride);
        }
        sum = _mm512_add_epi16(sum, packed_distances(block, &pair));
      }
      _mm512_storeu_si512(out + row, in_row_order(sum));
      if (words % 2 == 0) continue;
      for (size_t i = row; i < row + 32; i++) out[i] += (uint16_t)last_distance(code + stride * i, words, query);
    }
  }
  code_distances_body(code + 8 * words * row, rows - row, words, query, out + row);
}

AVX512 static void code_distances_at_avx512(
  const void *codes, size_t words, const uint32_t *rows, size_t count, const uint64_t *query, uint32_t *out) {
  const char *start = codes;
  size_t stride = 8 * words, first = 0;
  for (size_t i = 0; i < AHEAD && i < count; i++) fetch(start + stride * rows[i], stride);
  for (; first + 32 <= count; first += 32) {
    const char *code[32];
    for (size_t i = 0; i < 32; i++) {
      code[i] = start + stride * rows[first + i];
      if (first + AHEAD + i < count) fetch(start + stride * rows[first + AHEAD + i], stride);
    }
    __m512i low = _mm512_setzero_si512(), high = _mm512_setzero_si512();
    for (size_t word = 0; word + 2 <= words;) {
      // 64 pairs of words are what uint16 can hold.
      __m512i sum = _mm512_setzero_si512();
      for (size_t end = word + 128; word + 2 <= words && word < end; word += 2) {
        query_pair pair = load_query_pair(query, words, word);
        __m512i block[8];
        for (size_t i = 0; i < 8; i++) {
          const char **row = code + 4 * i;
          block[i] = four_rows(row[0] + 8 * word, row[1] + 8 * word, row[2] + 8 * word, row[3] + 8 * word);
        }
        sum = _mm512_add_epi16(sum, packed_distances(block, &pair));
      }
      sum = in_row_order(sum);
      low = _mm512_add_epi32(low, _mm512_cvtepu16_epi32(_mm512_castsi512_si256(sum)));
      high = _mm512_add_epi32(high, _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(sum, 1)));
    }
    _mm512_storeu_si512(out + first, low);
    _mm512_storeu_si512(out + first + 16, high);
    if (words % 2 == 0) continue;
    for (size_t i = 0; i < 32; i++) out[first + i] += last_distance(code[i], words, query);
  }
  code_distances_at_body(codes, words, rows + first, count - first, query, out + first);
}
#endif

#define PARAMETERS const void *codes, size_t rows, size_t words, const uint64_t *query, uint16_t *out
#define ARGUMENTS codes, rows, words, query, out
DEFINE_KERNEL_WITH_AVX512(void, code_distances)
#undef PARAMETERS
#undef ARGUMENTS

#define PARAMETERS                                                                                                   \
  const void *codes, size_t words, const uint32_t *rows, size_t count, const uint64_t *query, uint32_t *out
#define ARGUMENTS codes, words, rows, count, query, out
DEFINE_KERNEL_WITH_AVX512(void, code_distances_at)
