import ArgumentParser

/// A duration as people write it on a command line: `90s`, `45m`, `12h`, `30d`, `2w`.
struct DurationText: Hashable, CustomStringConvertible {
  /// Whole seconds, 0 or more.
  let duration: Duration

  private static let forms = "write a whole number and a unit, such as 90s, 45m, 12h, 30d or 2w"
  private static let seconds: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]

  init(_ duration: Duration) { self.duration = duration }

  /// - Throws: `ValidationError` with the text and the forms that are accepted.
  init(_ text: String) throws {
    guard let unit = text.last, let seconds = Self.seconds[unit], let count = Int64(text.dropLast()), count >= 0,
      text.first?.isNumber == true
    else { throw ValidationError("\"\(text)\" is no duration; \(Self.forms)") }
    let (total, overflow) = count.multipliedReportingOverflow(by: seconds)
    guard !overflow, total <= Self.longest else {
      throw ValidationError("\"\(text)\" is longer than 9,000 years; \(Self.forms)")
    }
    duration = .seconds(total)
  }

  private static let longest: Int64 = 9000 * 365 * 86_400

  /// As the transform of an option.
  @Sendable static func parse(_ text: String) throws -> Duration { try DurationText(text).duration }

  /// In the largest unit that leaves no remainder.
  var description: String {
    let total = duration.components.seconds
    let units: [(Character, Int64)] = [("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60)]
    // 30d and 90d are what people write, not 2w and 2d.
    for (unit, seconds) in units where total >= seconds && total.isMultiple(of: seconds) {
      if unit == "w", total / seconds > 8 { continue }
      return "\(total / seconds)\(unit)"
    }
    return "\(total)s"
  }
}
