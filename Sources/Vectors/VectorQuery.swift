import CVectors

/// How two vectors compare. Every metric is expressed as a similarity: higher is better.
///
/// - `cosine`: the cosine of the angle, -1...1; length does not matter.
/// - `dotProduct`: the sum of products, unbounded.
/// - `euclidean`: the distance, negated: ...0. Unlike 1 / (1 + *d*), it distinguishes far vectors after rounding, and the
///   distance can be recovered.
public enum Metric: String, CaseIterable, Sendable, Codable {
  /// The cosine of the angle, -1...1; length does not matter.
  case cosine
  /// The sum of products, unbounded.
  case dotProduct = "dot_product"
  /// The distance, negated: 0 or less.
  case euclidean
}

/// A vector prepared for comparison with many rows: what depends on it alone is computed once.
///
/// A row is the stored form of a vector, little-endian float32, read in place: nothing is copied, allocated or aligned. A
/// score depends on the bits of the two vectors alone, not on the position of the row, the instruction set, or which of the
/// two is the query.
///
/// Sums run in float32, and again in double only for vectors whose squares overflow or underflow, such as components near
/// 1e30 or 1e-30. Such rows cost five to ten times as much and score as exactly as any other.
package struct VectorQuery: Sendable {
  package let vector: Vector
  package let metric: Metric
  package let instructionSet: InstructionSet
  private let squaredNorm: Float
  private let wideSquaredNorm: Double

  /// The Euclidean norm of the vector.
  package var norm: Double { cvectors_square_root(wideSquaredNorm) }

  /// - Parameter instructionSet: For tests and benchmarks; must be one of `InstructionSet.supported`.
  /// - Complexity: O(*n*), *n* the dimensions.
  package init(_ vector: Vector, metric: Metric, instructionSet: InstructionSet = .best) {
    precondition(instructionSet.isSupported, "this machine cannot run \(instructionSet)")
    self.vector = vector
    self.metric = metric
    self.instructionSet = instructionSet
    (squaredNorm, wideSquaredNorm) = vector.components.withUnsafeBytes { query in
      guard let start = query.baseAddress else { return (0, 0) }
      return (
        instructionSet.squaredNorm(start, count: vector.dimensions),
        cvectors_wide_dot_and_squared_norm(start, start, vector.dimensions).squared_norm
      )
    }
  }

  /// The similarity of the query and a row by `metric`; higher is better, never NaN or infinite.
  ///
  /// - Parameter row: `vector.dimensions` little-endian float32 at any alignment.
  /// - Returns: `nil` if the row has another length, holds NaN or an infinity, or is all zeros and the metric is cosine.
  ///   `Vector` refuses all of these, so a stored row that gives `nil` is damaged.
  /// - Complexity: O(*n*), *n* the dimensions; 23 to 55 ns for 384 with AVX2 or AVX-512, 190 to 330 ns scalar.
  package func similarity(to row: UnsafeRawBufferPointer) -> Double? {
    guard row.count == 4 * vector.dimensions, let row = row.baseAddress else { return nil }
    return vector.components.withUnsafeBytes { query in
      guard let query = query.baseAddress else { return nil }
      let similarity =
        switch metric {
        case .cosine: cosine(query, row)
        case .dotProduct: dotProduct(query, row)
        case .euclidean: 0 - cvectors_square_root(squaredDistance(query, row))
        }
      return similarity.isFinite ? similarity : nil
    }
  }

  /// As `similarity(to:)` of a buffer.
  package func similarity(to row: RawSpan) -> Double? {
    row.withUnsafeBytes { similarity(to: $0) }
  }

  /// The similarity of the query and another vector; `nil` if it has other dimensions.
  package func similarity(to other: Vector) -> Double? {
    other.components.withUnsafeBytes { similarity(to: $0) }
  }

  private func cosine(_ query: UnsafeRawPointer, _ row: UnsafeRawPointer) -> Double {
    let sums = instructionSet.dotAndSquaredNorm(query, row, count: vector.dimensions)
    // The root of the product, not the product of roots: the square of a float32 is exact in double and so is its root,
    // which makes a vector's cosine with itself exactly 1.
    let cosine =
      if Self.keepsProductsInRange(squaredNorm) && Self.keepsProductsInRange(sums.squaredNorm) {
        Double(sums.dot) / cvectors_square_root(Double(squaredNorm) * Double(sums.squaredNorm))
      } else {
        wideCosine(query, row)
      }
    return cosine.isNaN ? cosine : min(1, max(-1, cosine))
  }

  private func wideCosine(_ query: UnsafeRawPointer, _ row: UnsafeRawPointer) -> Double {
    let sums = cvectors_wide_dot_and_squared_norm(query, row, vector.dimensions)
    return sums.dot / cvectors_square_root(wideSquaredNorm * sums.squared_norm)
  }

  private func dotProduct(_ query: UnsafeRawPointer, _ row: UnsafeRawPointer) -> Double {
    let dot = instructionSet.dot(query, row, count: vector.dimensions)
    if Self.keptTermsInRange(dot) { return Double(dot) }
    // Near zero: either the rows are orthogonal, which is common among sparse ones, or their products underflowed.
    let rowNorm = instructionSet.squaredNorm(row, count: vector.dimensions)
    if Self.keepsProductsInRange(squaredNorm) && Self.keepsProductsInRange(rowNorm) { return Double(dot) }
    return cvectors_wide_dot_and_squared_norm(query, row, vector.dimensions).dot
  }

  private func squaredDistance(_ query: UnsafeRawPointer, _ row: UnsafeRawPointer) -> Double {
    let distance = instructionSet.squaredDistance(query, row, count: vector.dimensions)
    guard Self.keptTermsInRange(distance) else {
      return cvectors_wide_squared_distance(query, row, vector.dimensions)
    }
    return Double(distance)
  }

  /// Whether the dot product of two rows with such squared norms is accurate: it stays below 2^100, and its terms lose at most
  /// 65,536 times 2^-150 to underflow, which is negligible beside the product of the norms.
  private static func keepsProductsInRange(_ squaredNorm: Float) -> Bool {
    squaredNorm >= 0x1p-100 && squaredNorm <= 0x1p100
  }

  /// Whether no term of a sum overflowed, which would give an infinity or NaN, and what terms lost to underflow is negligible
  /// beside the sum.
  private static func keptTermsInRange(_ sum: Float) -> Bool {
    sum.magnitude >= 0x1p-100 && sum.isFinite
  }
}
