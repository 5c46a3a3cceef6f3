#include "Integers.h"

/// How many rows `int8_dots_at` fetches ahead.
enum { AHEAD = 4 };

SHARED_BODY int32_t int8_dot(const int8_t *row, size_t dimensions, const int16_t *query) {
  int32_t sum = 0;
  for (size_t i = 0; i < dimensions; i++) sum += row[i] * query[i];
  return sum;
}

SHARED_BODY void int8_dots_body(
  const void *rows, size_t stride, size_t count, size_t dimensions, const int16_t *query, int32_t *out) {
  const char *start = rows;
  for (size_t i = 0; i < count; i++) {
    out[i] = int8_dot((const int8_t *)(start + stride * i), dimensions, query);
  }
}

SHARED_BODY void int8_dots_at_body(
  const void *rows, size_t stride, const uint32_t *indexes, size_t count, size_t dimensions, const int16_t *query,
  int32_t *out) {
  const char *start = rows;
  for (size_t i = 0; i < AHEAD && i < count; i++) fetch(start + stride * indexes[i], dimensions);
  for (size_t i = 0; i < count; i++) {
    if (i + AHEAD < count) fetch(start + stride * indexes[i + AHEAD], dimensions);
    out[i] = int8_dot((const int8_t *)(start + stride * indexes[i]), dimensions, query);
  }
}

#define PARAMETERS                                                                                                   \
  const void *rows, size_t stride, size_t count, size_t dimensions, const int16_t *query, int32_t *out
#define ARGUMENTS rows, stride, count, dimensions, query, out
DEFINE_INTEGER_KERNEL(void, int8_dots)
#undef PARAMETERS
#undef ARGUMENTS

#define PARAMETERS                                                                                                   \
  const void *rows, size_t stride, const uint32_t *indexes, size_t count, size_t dimensions, const int16_t *query,   \
    int32_t *out
#define ARGUMENTS rows, stride, indexes, count, dimensions, query, out
DEFINE_INTEGER_KERNEL(void, int8_dots_at)
