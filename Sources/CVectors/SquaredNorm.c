#include "Lanes.h"

LANES_BODY float squared_norm_lanes(const void *a, size_t count) {
  lanes16 sum[4] = {0};
  size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    for (size_t block = 0; block < 4; block++) {
      lanes16 x = LOAD16(a, i + 16 * block);
      sum[block] += x * x;
    }
  }
  for (; i + 16 <= count; i += 16) {
    lanes16 x = LOAD16(a, i);
    sum[0] += x * x;
  }
  if (i < count) {
    lanes16 x;
    pad16(&x, (const char *)a + 4 * i, count - i);
    sum[0] += x * x;
  }
  return fold64(sum);
}

static float squared_norm_scalar(const void *a, size_t count) {
  float lanes[64] = {0};
  for (size_t i = 0; i < count; i++) {
    float x = LOAD1(a, i);
    lanes[lane_of(i, count)] += x * x;
  }
  return fold64_scalar(lanes);
}

#define PARAMETERS const void *a, size_t count
#define ARGUMENTS a, count
DEFINE_KERNEL(float, squared_norm)
