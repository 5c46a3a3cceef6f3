extension Duration {
  /// Whole milliseconds, truncated towards zero; clamped to `Int64`.
  package var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
    guard !overflow else { return seconds < 0 ? .min : .max }
    return product.addingReportingOverflow(attoseconds / 1_000_000_000_000_000).partialValue
  }
}

extension Timestamp {
  /// Later by a duration, which is rounded down to milliseconds; the latest or earliest time if that is beyond.
  package func adding(_ duration: Duration) -> Timestamp {
    let (seconds, attoseconds) = duration.components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
    let limit: Int64 = duration < .zero ? .min : .max
    guard !overflow else { return Timestamp(milliseconds: limit) }
    let (span, carries) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
    let (sum, exceeds) = milliseconds.addingReportingOverflow(carries ? limit : span)
    return Timestamp(milliseconds: exceeds ? limit : sum)
  }
}
