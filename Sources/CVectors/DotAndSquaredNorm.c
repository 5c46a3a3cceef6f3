#include "Lanes.h"

LANES_BODY cvectors_dot_and_norm dot_and_squared_norm_lanes(const void *a, const void *b, size_t count) {
  lanes16 dot[4] = {0}, norm[4] = {0};
  size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    for (size_t block = 0; block < 4; block++) {
      lanes16 y = LOAD16(b, i + 16 * block);
      dot[block] += LOAD16(a, i + 16 * block) * y;
      norm[block] += y * y;
    }
  }
  for (; i + 16 <= count; i += 16) {
    lanes16 y = LOAD16(b, i);
    dot[0] += LOAD16(a, i) * y;
    norm[0] += y * y;
  }
  if (i < count) {
    lanes16 x, y;
    pad16(&x, (const char *)a + 4 * i, count - i);
    pad16(&y, (const char *)b + 4 * i, count - i);
    dot[0] += x * y;
    norm[0] += y * y;
  }
  return (cvectors_dot_and_norm){fold64(dot), fold64(norm)};
}

static cvectors_dot_and_norm dot_and_squared_norm_scalar(const void *a, const void *b, size_t count) {
  float dot[64] = {0}, norm[64] = {0};
  for (size_t i = 0; i < count; i++) {
    float y = LOAD1(b, i);
    dot[lane_of(i, count)] += LOAD1(a, i) * y;
    norm[lane_of(i, count)] += y * y;
  }
  return (cvectors_dot_and_norm){fold64_scalar(dot), fold64_scalar(norm)};
}

#define PARAMETERS const void *a, const void *b, size_t count
#define ARGUMENTS a, b, count
DEFINE_KERNEL(cvectors_dot_and_norm, dot_and_squared_norm)
