import StoreValues

/// The wait before another attempt: it doubles with each failure, and is cut to a random part of it, so that what failed
/// together does not come back together ("full jitter" between half and all of it).
struct Backoff: Sendable {
  let first: Duration
  let longest: Duration

  static let tasks = Backoff(first: .seconds(1), longest: .seconds(3600))
  static let deliveries = Backoff(first: .seconds(1), longest: .seconds(3600))

  /// - Parameter failures: So far, at least 1.
  func delay(after failures: Int) -> Duration {
    let doublings = min(max(failures - 1, 0), 40)
    let milliseconds = min(
      first.milliseconds.multipliedReportingOverflow(by: 1 << doublings).partialValue, Int64.max)
    let whole = milliseconds > 0 ? min(milliseconds, longest.milliseconds) : longest.milliseconds
    return .milliseconds(Int64.random(in: (whole / 2)...max(whole / 2, whole)))
  }
}
