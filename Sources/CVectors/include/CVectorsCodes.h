// Kernels that compare a query with quantised rows. All of them are integer arithmetic: every instruction set returns
// the same numbers.

#ifndef CVECTORS_CODES_H
#define CVECTORS_CODES_H

#include "CVectorsInstructionSet.h"

/// How far each code is from a query: the sum of the magnitudes of those components whose sign differs.
///
/// The query is `4 * words` words: the signs, then bit 0, 1 and 2 of the magnitudes. The distance of a code is
/// popcount((code ^ signs) & bit0) + 2 * popcount(... & bit1) + 4 * popcount(... & bit2).
///
/// `codes` is `rows * words` little-endian words at any byte. `words` is at most 128, so that a distance fits.
void cvectors_code_distances(
  cvectors_instruction_set set, const void *codes, size_t rows, size_t words, const uint64_t *query, uint16_t *out);

/// The same distances for the `count` codes whose indexes are `rows`, in that order; fetches ahead. `words` has no
/// bound but 2^29, where a distance would not fit.
void cvectors_code_distances_at(
  cvectors_instruction_set set, const void *codes, size_t words, const uint32_t *rows, size_t count,
  const uint64_t *query, uint32_t *out);

/// Dot products of `count` rows, each `dimensions` signed bytes, `stride` bytes apart, with a query of int16. The
/// magnitudes of the query times 128 must add up to less than 2^31.
void cvectors_int8_dots(
  cvectors_instruction_set set, const void *rows, size_t stride, size_t count, size_t dimensions,
  const int16_t *query, int32_t *out);

/// The same dot products for the `count` rows whose indexes are `indexes`, in that order; fetches ahead.
void cvectors_int8_dots_at(
  cvectors_instruction_set set, const void *rows, size_t stride, const uint32_t *indexes, size_t count,
  size_t dimensions, const int16_t *query, int32_t *out);

#endif
