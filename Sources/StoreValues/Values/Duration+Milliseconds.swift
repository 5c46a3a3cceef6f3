extension Duration {
  /// Whole milliseconds, truncated towards zero; clamped to `Int64`.
  package var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    let limit: Int64 = seconds < 0 ? .min : .max
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
    guard !overflow else { return limit }
    let (sum, carries) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
    return carries ? limit : sum
  }
}

extension Timestamp {
  /// Later by a duration, which is rounded down to milliseconds; the latest or earliest time if that is beyond.
  package func adding(_ duration: Duration) -> Timestamp {
    let (sum, exceeds) = milliseconds.addingReportingOverflow(duration.milliseconds)
    return Timestamp(milliseconds: exceeds ? (duration < .zero ? .min : .max) : sum)
  }
}
