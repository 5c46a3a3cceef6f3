// Kernels over rows of little-endian float32.
//
// A row is `count` floats that may start at any byte. Sums run in 64 lanes that are folded in a fixed order, with
// separate multiply and add: every instruction set returns the same bits, and the position of a row never shows in its
// score. Error: |result - exact| <= (count / 64 + 14) * 2^-24 * (sum of the absolute terms), unless a term leaves the
// range of float32; the `wide` kernels cannot leave the range of double for any finite rows.

#ifndef CVECTORS_H
#define CVECTORS_H

#include "CVectorsCodes.h"
#include "CVectorsEncoding.h"
#include "CVectorsInstructionSet.h"
#include "CVectorsMasks.h"

/// A dot product beside the squared norm of its second row, read in one pass.
typedef struct {
  float dot;
  float squared_norm;
} cvectors_dot_and_norm;

/// The same in double.
typedef struct {
  double dot;
  double squared_norm;
} cvectors_wide_dot_and_norm;

/// The sum of `a[i] * b[i]`.
float cvectors_dot(cvectors_instruction_set set, const void *a, const void *b, size_t count);

/// The sum of `a[i] * b[i]` and the sum of `b[i] * b[i]`; each has the bits of its own kernel.
cvectors_dot_and_norm cvectors_dot_and_squared_norm(
  cvectors_instruction_set set, const void *a, const void *b, size_t count);

/// The sum of `a[i] * a[i]`.
float cvectors_squared_norm(cvectors_instruction_set set, const void *a, size_t count);

/// The sum of `(a[i] - b[i])^2`.
float cvectors_squared_distance(cvectors_instruction_set set, const void *a, const void *b, size_t count);

/// `cvectors_dot_and_squared_norm` in double, for rows whose products leave the range of float32.
cvectors_wide_dot_and_norm cvectors_wide_dot_and_squared_norm(const void *a, const void *b, size_t count);

/// `cvectors_squared_distance` in double.
double cvectors_wide_squared_distance(const void *a, const void *b, size_t count);

/// The square root as one instruction. `sqrt` and Swift's `squareRoot()` keep a call into libm for `errno`, which a
/// program that imports no C library does not link.
static inline double cvectors_square_root(double x) { return __builtin_elementwise_sqrt(x); }

#endif
