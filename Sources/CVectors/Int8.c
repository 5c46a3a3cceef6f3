#include "Integers.h"

/// How many rows are fetched ahead.
enum { AHEAD = 6 };

SHARED_BODY int32_t int8_dot(const int8_t *row, size_t dimensions, const int16_t *query) {
  int32_t sum = 0;
  for (size_t i = 0; i < dimensions; i++) sum += row[i] * query[i];
  return sum;
}

SHARED_BODY void int8_dots_body(
  const void *const *rows, size_t count, size_t dimensions, const int16_t *query, int32_t *out) {
  for (size_t i = 0; i < AHEAD && i < count; i++) fetch(rows[i], dimensions);
  for (size_t i = 0; i < count; i++) {
    if (i + AHEAD < count) fetch(rows[i + AHEAD], dimensions);
    out[i] = int8_dot(rows[i], dimensions, query);
  }
}

#define PARAMETERS const void *const *rows, size_t count, size_t dimensions, const int16_t *query, int32_t *out
#define ARGUMENTS rows, count, dimensions, query, out
DEFINE_INTEGER_KERNEL(void, int8_dots)
