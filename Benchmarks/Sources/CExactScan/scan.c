#include "CExactScan.h"

#include <string.h>

/// Sixteen unaligned numbers; the compiler splits them for narrower registers.
typedef float lanes16 __attribute__((vector_size(64)));

/// Four sums, so that additions do not depend on each other. Inlined into each function below, and so compiled for its
/// instruction set.
static inline __attribute__((always_inline)) float dot_body(const float *a, const float *b, size_t dimensions) {
  lanes16 sums[4] = {0};
  size_t i = 0;
  for (; i + 64 <= dimensions; i += 64) {
    for (size_t part = 0; part < 4; part++) {
      lanes16 x, y;
      memcpy(&x, a + i + 16 * part, sizeof x);
      memcpy(&y, b + i + 16 * part, sizeof y);
      sums[part] += x * y;
    }
  }
  lanes16 sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  float total = 0;
  for (size_t lane = 0; lane < 16; lane++) total += sum[lane];
  for (; i < dimensions; i++) total += a[i] * b[i];
  return total;
}

static float dot_plain(const float *a, const float *b, size_t dimensions) { return dot_body(a, b, dimensions); }

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static float dot_avx2(const float *a, const float *b, size_t dimensions) {
  return dot_body(a, b, dimensions);
}

__attribute__((target("avx512f"))) static float dot_avx512(const float *a, const float *b, size_t dimensions) {
  return dot_body(a, b, dimensions);
}
#endif

typedef float (*dot_kernel)(const float *, const float *, size_t);

static dot_kernel best_kernel(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return dot_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return dot_avx2;
#endif
  return dot_plain;
}

float cexact_dot(const float *a, const float *b, size_t dimensions) { return best_kernel()(a, b, dimensions); }

/// Whether `a` ranks before `b`.
static int is_better(cexact_neighbour a, cexact_neighbour b) {
  return a.score > b.score || (a.score == b.score && a.row < b.row);
}

/// Inserts a row into the best so far, at most `k`.
static size_t keep(cexact_neighbour *best, size_t count, size_t k, cexact_neighbour candidate) {
  size_t place = count < k ? count : k - 1;
  while (place > 0 && is_better(candidate, best[place - 1])) {
    best[place] = best[place - 1];
    place--;
  }
  best[place] = candidate;
  return count < k ? count + 1 : k;
}

size_t cexact_nearest(
  const float *base, const float *scales, size_t dimensions, const uint32_t *rows, size_t count, const float *query,
  size_t k, cexact_neighbour *found) {
  if (k == 0) return 0;
  dot_kernel dot = best_kernel();
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    uint32_t row = rows ? rows[i] : (uint32_t)i;
    cexact_neighbour candidate = {row, dot(base + (size_t)row * dimensions, query, dimensions) * scales[row]};
    if (kept < k || is_better(candidate, found[k - 1])) kept = keep(found, kept, k, candidate);
  }
  return kept;
}
