/// The exact nearest neighbours of a query among float32 rows, by one pass over all of them: the oracle for recall, and
/// the cost without an index.
#ifndef EPISODIC_EXACT_SCAN_H
#define EPISODIC_EXACT_SCAN_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint32_t row;
  float score;
} cexact_neighbour;

/// The inner product; the instruction set is chosen at run time.
float cexact_dot(const float *a, const float *b, size_t dimensions);

/// The `k` rows whose inner product with the query, times their scale, is greatest; best first, of equal ones the
/// earlier.
///
/// @param base Rows of `dimensions` numbers each.
/// @param scales A factor a row; one over its length makes the score a cosine, up to the query's own length.
/// @param rows The rows to compare, in any order; 0 for the first `count`.
/// @param found Room for `k`.
/// @return The number found: the lesser of `k` and `count`.
size_t cexact_nearest(
  const float *base, const float *scales, size_t dimensions, const uint32_t *rows, size_t count, const float *query,
  size_t k, cexact_neighbour *found);

#endif
