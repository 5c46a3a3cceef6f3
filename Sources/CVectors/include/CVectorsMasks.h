// Kernels that filter columns and select rows.
//
// A mask is one byte a row: 0xFF for a row that is in, 0 for one that is out. Columns are little-endian and may start
// at any byte.

#ifndef CVECTORS_MASKS_H
#define CVECTORS_MASKS_H

#include "CVectorsInstructionSet.h"

/// Writes the mask of the rows whose value is less than 32 and whose bit of that number is set in `admitted`.
void cvectors_mask_bits(
  cvectors_instruction_set set, const uint8_t *values, size_t count, uint32_t admitted, uint8_t *mask);

/// Takes rows whose byte is not `value` out of the mask.
void cvectors_mask_equal8(
  cvectors_instruction_set set, const void *column, size_t count, uint8_t value, uint8_t *mask);

/// Takes rows whose 4 bytes are not `value` out of the mask.
void cvectors_mask_equal32(
  cvectors_instruction_set set, const void *column, size_t count, uint32_t value, uint8_t *mask);

/// Takes rows whose int64 is not within `low`...`high` out of the mask.
void cvectors_mask_range64(
  cvectors_instruction_set set, const void *column, size_t count, int64_t low, int64_t high, uint8_t *mask);

/// How many rows are in.
size_t cvectors_count_masked(cvectors_instruction_set set, const uint8_t *mask, size_t count);

/// Writes `base` + index of every row that is in, ascending, and returns how many. `out` has room for `count`; what
/// lies behind the rows returned is overwritten with anything.
size_t cvectors_select_masked(
  cvectors_instruction_set set, const uint8_t *mask, size_t count, uint32_t base, uint32_t *out);

/// Writes `base` + index and the value of every row whose value is at most `limit` and that is in, ascending, and
/// returns how many. Without a mask every row is in. Both outputs have room for `count`; what lies behind the rows
/// returned is overwritten with anything.
size_t cvectors_select_at_most(
  cvectors_instruction_set set, const uint16_t *values, const uint8_t *mask, size_t count, uint16_t limit,
  uint32_t base, uint32_t *out_rows, uint16_t *out_values);

#endif
