// What is done here has one expression for each element, or takes a maximum, so that the compiler may use any vectors
// it likes: each body but that of the signs is compiled as it stands for every instruction set.

#include "Lanes.h"

/// Adding 1.5 * 2^23 to a float of magnitude less than 2^22 rounds it to an integer, half to even, and leaves that
/// integer in the low bits. `rint` would be a call into libm where there is no instruction for it.
LANES_BODY int32_t nearest(float value) {
  float shifted = value + 0x1.8p23f;
  int32_t bits;
  __builtin_memcpy(&bits, &shifted, 4);
  return bits - 0x4B400000;
}

LANES_BODY void scale_lanes(const void *row, size_t count, double factor, float *unit) {
  for (size_t i = 0; i < count; i++) unit[i] = (float)(LOAD1(row, i) * factor);
}

LANES_BODY float largest_lanes(const float *values, size_t count) {
  // A magnitude is ordered as its bits are, and integers may be compared in any order.
  uint32_t largest = 0;
  for (size_t i = 0; i < count; i++) {
    uint32_t bits;
    __builtin_memcpy(&bits, values + i, 4);
    bits &= 0x7FFFFFFF;
    largest = bits > largest ? bits : largest;
  }
  float value;
  __builtin_memcpy(&value, &largest, 4);
  return value;
}

LANES_BODY void round_int8_lanes(const float *values, size_t count, float factor, int8_t *row) {
  for (size_t i = 0; i < count; i++) row[i] = (int8_t)nearest(values[i] * factor);
}

LANES_BODY void round_int16_lanes(const float *values, size_t count, float factor, int16_t *row) {
  for (size_t i = 0; i < count; i++) row[i] = (int16_t)nearest(values[i] * factor);
}

/// Sixteen bits, the first one lowest.
typedef bool bits16 __attribute__((ext_vector_type(16)));

LANES_BODY void signs_scalar(const float *values, size_t count, void *words) {
  for (size_t word = 0; 64 * word < count; word++) {
    uint64_t bits = 0;
    for (size_t i = 64 * word; i < count && i < 64 * word + 64; i++) bits |= (uint64_t)(values[i] >= 0) << i % 64;
    __builtin_memcpy((char *)words + 8 * word, &bits, 8);
  }
}

LANES_BODY void signs_lanes(const float *values, size_t count, void *words) {
  size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    for (size_t part = 0; part < 64; part += 16) {
      bits16 bits = __builtin_convertvector(LOAD16(values, i + part) >= 0, bits16);
      __builtin_memcpy((char *)words + (i + part) / 8, &bits, 2);
    }
  }
  signs_scalar(values + i, count - i, (char *)words + i / 8);
}

#define PARAMETERS const float *values, size_t count, void *words
#define ARGUMENTS values, count, words
DEFINE_KERNEL(void, signs)
#undef PARAMETERS
#undef ARGUMENTS

#define scale_scalar scale_lanes
#define PARAMETERS const void *row, size_t count, double factor, float *unit
#define ARGUMENTS row, count, factor, unit
DEFINE_KERNEL(void, scale)
#undef PARAMETERS
#undef ARGUMENTS

#define largest_scalar largest_lanes
#define PARAMETERS const float *values, size_t count
#define ARGUMENTS values, count
DEFINE_KERNEL(float, largest)
#undef PARAMETERS
#undef ARGUMENTS

#define round_int8_scalar round_int8_lanes
#define PARAMETERS const float *values, size_t count, float factor, int8_t *row
#define ARGUMENTS values, count, factor, row
DEFINE_KERNEL(void, round_int8)
#undef PARAMETERS

#define round_int16_scalar round_int16_lanes
#define PARAMETERS const float *values, size_t count, float factor, int16_t *row
DEFINE_KERNEL(void, round_int16)
