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
/// `groups` holds eight rows each, the last one perhaps fewer but no less memory: the first little-endian word of all
/// eight, then the second, and so on, at any byte. `words` is at most 128, so that a distance fits.
void cvectors_group_distances(
  cvectors_instruction_set set, const void *groups, size_t rows, size_t words, const uint64_t *query, uint16_t *out);

/// The same distances for `count` codes, each `words` little-endian words in a row at any byte; fetches ahead. `words`
/// has no bound but 2^23, where a distance would not fit.
void cvectors_code_distances(
  cvectors_instruction_set set, const void *const *codes, size_t words, size_t count, const uint64_t *query,
  uint32_t *out);

/// Dot products of `count` rows, each `dimensions` signed bytes, with a query of int16; fetches ahead. The magnitudes of
/// the query times 128 must add up to less than 2^31.
void cvectors_int8_dots(
  cvectors_instruction_set set, const void *const *rows, size_t count, size_t dimensions, const int16_t *query,
  int32_t *out);

#endif
