/// How two vectors compare. Of every metric a similarity is made where higher is better.
///
/// - `cosine`: the cosine of the angle, -1...1; length does not matter.
/// - `dotProduct`: the sum of products, unbounded.
/// - `euclidean`: the distance, negated: ...0. Unlike 1 / (1 + *d*), it keeps far vectors apart after rounding, and the
///   distance can be read back.
public enum Metric: String, CaseIterable, Sendable, Codable {
  case cosine
  case dotProduct = "dot_product"
  case euclidean
}
