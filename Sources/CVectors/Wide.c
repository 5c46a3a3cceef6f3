// Double cannot overflow or underflow here: the square of the largest float32 times 65,536 is below 1e82, and the
// square of the smallest is above 1e-90. Eight lanes fold in a fixed order. One plain version serves every machine: it
// runs only for rows that the float32 kernels cannot sum.

#include "Lanes.h"

static double fold8(const double lanes[8]) {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

cvectors_wide_dot_and_norm cvectors_wide_dot_and_squared_norm(const void *a, const void *b, size_t count) {
  double dot[8] = {0}, norm[8] = {0};
  for (size_t i = 0; i < count; i++) {
    double y = LOAD1(b, i);
    dot[i % 8] += LOAD1(a, i) * y;
    norm[i % 8] += y * y;
  }
  return (cvectors_wide_dot_and_norm){fold8(dot), fold8(norm)};
}

double cvectors_wide_squared_distance(const void *a, const void *b, size_t count) {
  double sum[8] = {0};
  for (size_t i = 0; i < count; i++) {
    double difference = (double)LOAD1(a, i) - LOAD1(b, i);
    sum[i % 8] += difference * difference;
  }
  return fold8(sum);
}
