// Codes come in two shapes. In groups of eight, word beside word, the whole of one word of eight rows is a register, and
// any number of words is scanned at the speed of memory. One by one, as they are read here and there, 32 go at a time on
// AVX-512, two words of each: eight registers of four rows. Counts of up to 64 a word fit a byte, so three rounds of
// packing bring those of eight registers into one, where one multiplication weighs them and adds the two words of each
// row. Elsewhere a row is counted by itself, by an instruction where there is one.

#include <string.h>

#include "Integers.h"

/// How many rows `code_distances` fetches ahead, and how many bytes `group_distances`: the processor itself does not look
/// beyond a page.
enum { ROWS_AHEAD = 32, BYTES_AHEAD = 8192 };

/// Words of a row are `step` words apart.
SHARED_BODY uint32_t code_distance(const void *code, size_t step, size_t words, const uint64_t *query) {
  uint32_t ones = 0, twos = 0, fours = 0;
  for (size_t i = 0; i < words; i++) {
    uint64_t differing = WORD(code, step * i) ^ query[i];
    ones += (uint32_t)__builtin_popcountll(differing & query[words + i]);
    twos += (uint32_t)__builtin_popcountll(differing & query[2 * words + i]);
    fours += (uint32_t)__builtin_popcountll(differing & query[3 * words + i]);
  }
  return ones + 2 * twos + 4 * fours;
}

SHARED_BODY void group_distances_body(
  const void *groups, size_t rows, size_t words, const uint64_t *query, uint16_t *out) {
  const char *start = groups;
  for (size_t row = 0; row < rows; row++) {
    out[row] = (uint16_t)code_distance(start + 64 * words * (row / 8) + 8 * (row % 8), 8, words, query);
  }
}

SHARED_BODY void code_distances_body(
  const void *const *codes, size_t words, size_t count, const uint64_t *query, uint32_t *out) {
  for (size_t i = 0; i < count; i++) {
    if (i + ROWS_AHEAD < count) fetch(codes[i + ROWS_AHEAD], 8 * words);
    out[i] = code_distance(codes[i], 1, words, query);
  }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512_BODY AVX512 static inline __attribute__((always_inline))

/// The bits of `a ^ b` that are in `bits`, counted word by word.
AVX512_BODY __m512i count_differing(__m512i a, __m512i b, __m512i bits) {
  return _mm512_popcnt_epi64(_mm512_ternarylogic_epi64(a, b, bits, 0x28));
}

/// The distances of the eight rows of a group; uint16.
AVX512_BODY __m128i group_distance(const char *group, size_t words, const uint64_t *query) {
  __m512i sums[3] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
  for (size_t word = 0; word < words; word++) {
    __builtin_prefetch(group + 64 * word + BYTES_AHEAD);
    __m512i codes = _mm512_loadu_si512(group + 64 * word), signs = _mm512_set1_epi64((int64_t)query[word]);
    for (size_t bit = 0; bit < 3; bit++) {
      __m512i bits = _mm512_set1_epi64((int64_t)query[(bit + 1) * words + word]);
      sums[bit] = _mm512_add_epi64(sums[bit], count_differing(codes, signs, bits));
    }
  }
  __m512i sum = _mm512_add_epi64(_mm512_add_epi64(sums[2], sums[2]), sums[1]);
  return _mm512_cvtepi64_epi16(_mm512_add_epi64(_mm512_add_epi64(sum, sum), sums[0]));
}

/// `words` is a constant where this is called for the numbers that matter: the query then stays in registers.
AVX512_BODY void group_distances_of(
  const char *groups, size_t rows, size_t words, const uint64_t *query, uint16_t *out) {
  size_t row = 0;
  for (; row + 8 <= rows; row += 8) {
    _mm_storeu_si128((__m128i *)(out + row), group_distance(groups + 8 * words * row, words, query));
  }
  if (row == rows) return;
  __m128i last = group_distance(groups + 8 * words * row, words, query);
  memcpy(out + row, &last, 2 * (rows - row));
}

AVX512 static void group_distances_avx512(
  const void *groups, size_t rows, size_t words, const uint64_t *query, uint16_t *out) {
  switch (words) {
  case 3: group_distances_of(groups, rows, 3, query, out); break;
  case 4: group_distances_of(groups, rows, 4, query, out); break;
  default: group_distances_of(groups, rows, words, query, out);
  }
}

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

/// Counts of what differs in eight registers, two words in each of their 128-bit lanes, as bytes of one: lane by lane,
/// and in a lane register by register.
AVX512_BODY __m512i packed_counts(const __m512i codes[8], __m512i signs, __m512i bits) {
  __m512i counts[8];
  for (size_t i = 0; i < 8; i++) counts[i] = count_differing(codes[i], signs, bits);
  for (size_t i = 0; i < 4; i++) counts[i] = _mm512_packus_epi32(counts[2 * i], counts[2 * i + 1]);
  for (size_t i = 0; i < 2; i++) counts[i] = _mm512_packus_epi32(counts[2 * i], counts[2 * i + 1]);
  return _mm512_packus_epi16(counts[0], counts[1]);
}

/// The distances of 32 rows over two words; uint16, in the order of `packed_counts`.
AVX512_BODY __m512i packed_distances(const __m512i codes[8], const query_pair *query) {
  __m512i ones = _mm512_maddubs_epi16(packed_counts(codes, query->signs, query->bits[0]), _mm512_set1_epi8(1));
  __m512i twos = _mm512_maddubs_epi16(packed_counts(codes, query->signs, query->bits[1]), _mm512_set1_epi8(2));
  __m512i fours = _mm512_maddubs_epi16(packed_counts(codes, query->signs, query->bits[2]), _mm512_set1_epi8(4));
  return _mm512_add_epi16(_mm512_add_epi16(ones, twos), fours);
}

/// Brings packed distances into the order of rows: row 4 * register + lane lies at 8 * lane + register.
AVX512_BODY __m512i in_row_order(__m512i packed) {
  uint16_t order[32];
  for (uint16_t row = 0; row < 32; row++) order[row] = (uint16_t)(row % 4 * 8 + row / 4);
  return _mm512_permutexvar_epi16(_mm512_loadu_si512(order), packed);
}

/// Two words of four rows.
AVX512_BODY __m512i four_rows(const void *const *codes, size_t word) {
  __m512i rows = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)codes[0] + word / 2));
  rows = _mm512_inserti32x4(rows, _mm_loadu_si128((const __m128i *)codes[1] + word / 2), 1);
  rows = _mm512_inserti32x4(rows, _mm_loadu_si128((const __m128i *)codes[2] + word / 2), 2);
  return _mm512_inserti32x4(rows, _mm_loadu_si128((const __m128i *)codes[3] + word / 2), 3);
}

/// The distance over the last of an odd number of words.
AVX512_BODY uint32_t last_distance(const char *code, size_t words, const uint64_t *query) {
  const uint64_t part[4] = {
    query[words - 1], query[2 * words - 1], query[3 * words - 1], query[4 * words - 1]};
  return code_distance(code + 8 * (words - 1), 1, 1, part);
}

AVX512 static void code_distances_avx512(
  const void *const *codes, size_t words, size_t count, const uint64_t *query, uint32_t *out) {
  size_t first = 0;
  for (size_t i = 0; i < ROWS_AHEAD && i < count; i++) fetch(codes[i], 8 * words);
  for (; first + 32 <= count; first += 32) {
    for (size_t i = first + ROWS_AHEAD; i < first + ROWS_AHEAD + 32 && i < count; i++) fetch(codes[i], 8 * words);
    __m512i low = _mm512_setzero_si512(), high = _mm512_setzero_si512();
    for (size_t word = 0; word + 2 <= words;) {
      // 64 pairs of words are what uint16 can hold.
      __m512i sum = _mm512_setzero_si512();
      for (size_t end = word + 128; word + 2 <= words && word < end; word += 2) {
        query_pair pair = load_query_pair(query, words, word);
        __m512i block[8];
        for (size_t i = 0; i < 8; i++) block[i] = four_rows(codes + first + 4 * i, word);
        sum = _mm512_add_epi16(sum, packed_distances(block, &pair));
      }
      sum = in_row_order(sum);
      low = _mm512_add_epi32(low, _mm512_cvtepu16_epi32(_mm512_castsi512_si256(sum)));
      high = _mm512_add_epi32(high, _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(sum, 1)));
    }
    _mm512_storeu_si512(out + first, low);
    _mm512_storeu_si512(out + first + 16, high);
    if (words % 2 == 0) continue;
    for (size_t i = first; i < first + 32; i++) out[i] += last_distance(codes[i], words, query);
  }
  code_distances_body(codes + first, words, count - first, query, out + first);
}
#endif

#define PARAMETERS const void *groups, size_t rows, size_t words, const uint64_t *query, uint16_t *out
#define ARGUMENTS groups, rows, words, query, out
DEFINE_KERNEL_WITH_AVX512(void, group_distances)
#undef PARAMETERS
#undef ARGUMENTS

#define PARAMETERS const void *const *codes, size_t words, size_t count, const uint64_t *query, uint32_t *out
#define ARGUMENTS codes, words, count, query, out
DEFINE_KERNEL_WITH_AVX512(void, code_distances)
