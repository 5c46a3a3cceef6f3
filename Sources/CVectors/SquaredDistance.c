#include "Lanes.h"

LANES_BODY float squared_distance_lanes(const void *a, const void *b, size_t count) {
  lanes16 sum[4] = {0};
  size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    for (size_t block = 0; block < 4; block++) {
      lanes16 difference = LOAD16(a, i + 16 * block) - LOAD16(b, i + 16 * block);
      sum[block] += difference * difference;
    }
  }
  for (; i + 16 <= count; i += 16) {
    lanes16 difference = LOAD16(a, i) - LOAD16(b, i);
    sum[0] += difference * difference;
  }
  if (i < count) {
    lanes16 x, y;
    pad16(&x, (const char *)a + 4 * i, count - i);
    pad16(&y, (const char *)b + 4 * i, count - i);
    sum[0] += (x - y) * (x - y);
  }
  return fold64(sum);
}

static float squared_distance_scalar(const void *a, const void *b, size_t count) {
  float lanes[64] = {0};
  for (size_t i = 0; i < count; i++) {
    float difference = LOAD1(a, i) - LOAD1(b, i);
    lanes[lane_of(i, count)] += difference * difference;
  }
  return fold64_scalar(lanes);
}

#define PARAMETERS const void *a, const void *b, size_t count
#define ARGUMENTS a, b, count
DEFINE_KERNEL(float, squared_distance)
