import Vectors

/// The same mathematics written the plain way in double, one term after the other.
enum Oracle {
  static func dot(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  static func squaredDistance(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
  }

  static func similarity(_ a: [Float], _ b: [Float], by metric: Metric) -> Double {
    switch metric {
    case .cosine: dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
    case .dotProduct: dot(a, b)
    case .euclidean: -squaredDistance(a, b).squareRoot()
    }
  }

  /// How far a float32 kernel may be off, given the sum of the absolute terms: the bound CVectors.h states.
  static func tolerance(dimensions: Int, absoluteTerms: Double) -> Double {
    (Double(dimensions) / 64 + 14) * 0x1p-24 * absoluteTerms
  }

  static func absoluteTerms(_ a: [Float], _ b: [Float]) -> Double {
    dot(a.map(\.magnitude), b.map(\.magnitude))
  }
}
