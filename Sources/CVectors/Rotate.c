// Stage after stage a Walsh-Hadamard transform replaces elements `distance` apart by their sum and their difference. As
// every element of a stage has one expression, stages may be done in registers or two at a time: the bits are the same.

#include "Lanes.h"

typedef uint32_t words16 __attribute__((vector_size(64)));
typedef uint32_t unaligned_words16 __attribute__((vector_size(64), aligned(1), may_alias));

#define STORE16(row, index, value) (*(unaligned16 *)((char *)(row) + 4 * (index)) = (value))
#define WORDS16(row, index) ((words16)(*(const unaligned_words16 *)((const char *)(row) + 4 * (index))))

/// `lanes` with each lane's partner added, and taken from it where the sign bit is set in `SIGNS`.
#define STAGE16(lanes, SIGNS, ...)                                                                                   \
  (lanes = __builtin_shufflevector(lanes, lanes, __VA_ARGS__) + (lanes16)((words16)lanes ^ (words16)SIGNS))

/// 1 / sqrt(`size`), a power of two.
static float normaliser(size_t size) {
  float factor = 1;
  for (; size >= 4; size /= 4) factor /= 2;
  return size == 2 ? factor * 0x1.6a09e6p-1f : factor;
}

/// Four stages inside a register, after multiplication by `factor`.
LANES_BODY void stages_of_16(float *values, float factor) {
  lanes16 v = LOAD16(values, 0) * factor;
  const uint32_t m = 1u << 31;
  STAGE16(v, ((words16){0, m, 0, m, 0, m, 0, m, 0, m, 0, m, 0, m, 0, m}), 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12,
          15, 14);
  STAGE16(v, ((words16){0, 0, m, m, 0, 0, m, m, 0, 0, m, m, 0, 0, m, m}), 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15,
          12, 13);
  STAGE16(v, ((words16){0, 0, 0, 0, m, m, m, m, 0, 0, 0, 0, m, m, m, m}), 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9,
          10, 11);
  STAGE16(v, ((words16){0, 0, 0, 0, 0, 0, 0, 0, m, m, m, m, m, m, m, m}), 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4,
          5, 6, 7);
  STORE16(values, 0, v);
}

/// One stage over `size` elements.
LANES_BODY void stage(float *values, size_t size, size_t distance) {
  for (size_t block = 0; block < size; block += 2 * distance) {
    for (size_t i = block; i < block + distance; i += 16) {
      lanes16 a = LOAD16(values, i), b = LOAD16(values, i + distance);
      STORE16(values, i, a + b);
      STORE16(values, i + distance, a - b);
    }
  }
}

/// Two stages, `distance` and twice that, in one pass.
LANES_BODY void two_stages(float *values, size_t size, size_t distance) {
  for (size_t block = 0; block < size; block += 4 * distance) {
    for (size_t i = block; i < block + distance; i += 16) {
      lanes16 a = LOAD16(values, i), b = LOAD16(values, i + distance);
      lanes16 c = LOAD16(values, i + 2 * distance), d = LOAD16(values, i + 3 * distance);
      lanes16 low = a + b, high = c + d, low_difference = a - b, high_difference = c - d;
      STORE16(values, i, low + high);
      STORE16(values, i + distance, low_difference + high_difference);
      STORE16(values, i + 2 * distance, low - high);
      STORE16(values, i + 3 * distance, low_difference - high_difference);
    }
  }
}

LANES_BODY void hadamard_scalar(float *values, size_t size) {
  float factor = normaliser(size);
  for (size_t i = 0; i < size; i++) values[i] *= factor;
  for (size_t distance = 1; distance < size; distance *= 2) {
    for (size_t block = 0; block < size; block += 2 * distance) {
      for (size_t i = block; i < block + distance; i++) {
        float a = values[i], b = values[i + distance];
        values[i] = a + b;
        values[i + distance] = a - b;
      }
    }
  }
}

LANES_BODY void hadamard_lanes(float *values, size_t size) {
  if (size < 16) {
    hadamard_scalar(values, size);
    return;
  }
  float factor = normaliser(size);
  for (size_t i = 0; i < size; i += 16) stages_of_16(values + i, factor);
  size_t distance = 16;
  for (; 4 * distance <= size; distance *= 4) two_stages(values, size, distance);
  if (distance < size) stage(values, size, distance);
}

/// Flips a sign.
LANES_BODY float flipped(float value, uint32_t flip) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, 4);
  bits ^= flip;
  __builtin_memcpy(&value, &bits, 4);
  return value;
}

/// Interleaves the halves of `from`, from pair `first` on; an odd last element keeps its place.
LANES_BODY void interleave_scalar(const float *from, size_t first, size_t count, const uint32_t *flips, float *to) {
  size_t half = count / 2;
  for (size_t i = first; i < half; i++) {
    to[2 * i] = flipped(from[i], flips[2 * i]);
    to[2 * i + 1] = flipped(from[half + i], flips[2 * i + 1]);
  }
  if (count % 2 == 1) to[count - 1] = flipped(from[count - 1], flips[count - 1]);
}

LANES_BODY void interleave_lanes(const float *from, size_t count, const uint32_t *flips, float *to) {
  size_t i = 0, half = count / 2;
  for (; i + 16 <= half; i += 16) {
    lanes16 a = LOAD16(from, i), b = LOAD16(from, half + i);
    lanes16 low = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    lanes16 high = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    STORE16(to, 2 * i, (lanes16)((words16)low ^ WORDS16(flips, 2 * i)));
    STORE16(to, 2 * i + 16, (lanes16)((words16)high ^ WORDS16(flips, 2 * i + 16)));
  }
  interleave_scalar(from, i, count, flips, to);
}

#define DEFINE_ROTATION(NAME, INTERLEAVE, HADAMARD)                                                                  \
  LANES_BODY void NAME(float *values, size_t count, const uint32_t *flips, float *rotated) {                         \
    size_t size = 1;                                                                                                 \
    while (2 * size <= count) size *= 2;                                                                             \
    float *from = values, *to = rotated;                                                                             \
    for (size_t round = 0; round < 3; round++) {                                                                     \
      INTERLEAVE;                                                                                                    \
      HADAMARD(to, size);                                                                                            \
      if (size < count) HADAMARD(to + count - size, size);                                                           \
      float *last = from;                                                                                            \
      from = to;                                                                                                     \
      to = last;                                                                                                     \
    }                                                                                                                \
  }

DEFINE_ROTATION(rotate_scalar, interleave_scalar(from, 0, count, flips + round * count, to), hadamard_scalar)
DEFINE_ROTATION(rotate_lanes, interleave_lanes(from, count, flips + round * count, to), hadamard_lanes)

#define PARAMETERS float *values, size_t count, const uint32_t *flips, float *rotated
#define ARGUMENTS values, count, flips, rotated
DEFINE_KERNEL(void, rotate)
