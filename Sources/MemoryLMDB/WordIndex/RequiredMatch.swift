/// A document of a segment that meets a requirement of a query.
struct RequiredMatch {
  var ordinal: UInt32
  /// Places where the phrase begins, or tokens that begin with the prefix; 1 or more.
  var frequency: UInt32
}
