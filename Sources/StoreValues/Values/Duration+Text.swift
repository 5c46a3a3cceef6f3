extension Duration {
  /// In the largest unit that leaves no remainder: `30 days`, `36 hours`, `90 seconds`; with a fraction in seconds.
  package var inWholeUnits: String {
    let (seconds, attoseconds) = components
    guard attoseconds == 0 else { return "\(self / .seconds(1)) seconds" }
    let units: [(name: String, seconds: Int64)] = [("day", 86_400), ("hour", 3600), ("minute", 60)]
    let unit = units.first { seconds != 0 && seconds.isMultiple(of: $0.seconds) } ?? ("second", 1)
    let count = seconds / unit.seconds
    return "\(count) \(unit.name)\(count == 1 ? "" : "s")"
  }
}
