// Kernels that turn a row of floats into a rotated unit vector and that into codes.
//
// Every instruction set returns the same bits: terms are added in a fixed order, and products are rounded before they
// are added. Codes are stored, so what these functions compute must never change.

#ifndef CVECTORS_ENCODING_H
#define CVECTORS_ENCODING_H

#include "CVectorsInstructionSet.h"

/// `unit[i]` = `row[i] * factor`, multiplied in double and rounded once. The row may start at any byte.
void cvectors_scale(cvectors_instruction_set set, const void *row, size_t count, double factor, float *unit);

/// Rotates `values` into `rotated`; `values` is used up. Each of three rounds interleaves the two halves, flips the
/// signs that the next `count` elements of `flips` name (0 or 0x80000000), and applies a normalised Walsh-Hadamard
/// transform to the first and, unless that was everything, to the last power of two of elements.
///
/// The halves are interleaved because for 511 elements the first and the last 256 share one: without it nothing of the
/// second half would reach the first.
void cvectors_rotate(
  cvectors_instruction_set set, float *values, size_t count, const uint32_t *flips, float *rotated);

/// Bit i % 64 of word i / 64 = whether `values[i]` is zero or more. Writes ceil(count / 64) little-endian words that
/// may start at any byte; bits behind `count` are 0.
void cvectors_signs(cvectors_instruction_set set, const float *values, size_t count, void *words);

/// The largest magnitude of `values`, none of them NaN; 0 for none.
float cvectors_largest(cvectors_instruction_set set, const float *values, size_t count);

/// `row[i]` = `values[i] * factor`, rounded to the nearest integer, half to even; it must be within -127...127.
void cvectors_round_int8(
  cvectors_instruction_set set, const float *values, size_t count, float factor, int8_t *row);

/// `row[i]` = `values[i] * factor`, rounded to the nearest integer, half to even; it must be within -32767...32767.
void cvectors_round_int16(
  cvectors_instruction_set set, const float *values, size_t count, float factor, int16_t *row);

#endif
