import Episodic
import Foundation

extension String {
  /// The text as content of an element or a quoted attribute. Characters that act on a reader unseen, such as changes of
  /// direction, are written as their number.
  var html: String {
    var result = ""
    for character in onOneLine.unicodeScalars {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}

/// Numbers as a page shows them.
enum Shown {
  /// `1,204`, `12.4k`, `3.1M`.
  static func count(_ number: Int) -> String {
    switch number {
    case ..<10_000: grouped(number)
    case ..<1_000_000: "\(tenths(Double(number) / 1000))k"
    default: "\(tenths(Double(number) / 1_000_000))M"
    }
  }

  /// `1,204`.
  static func grouped(_ number: Int) -> String {
    let digits = Array(String(number))
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, digit != "-", digits[index - 1] != "-", (digits.count - index).isMultiple(of: 3) { result += "," }
      result.append(digit)
    }
    return result
  }

  /// `82 %`.
  static func percent(_ rate: Double?, none: String = "–") -> String {
    rate.map { "\(Int(($0 * 100).rounded())) %" } ?? none
  }

  /// `420 ms`, `1.5 s`, `2 min`, `3.1 h`.
  static func duration(_ milliseconds: Int64) -> String {
    let value = Double(milliseconds)
    switch milliseconds {
    case ..<1000: return "\(milliseconds) ms"
    case ..<60_000: return "\(tenths(value / 1000)) s"
    case ..<3_600_000: return "\(tenths(value / 60_000)) min"
    default: return "\(tenths(value / 3_600_000)) h"
    }
  }

  /// Ten to a power, in milliseconds: `100 ms`, `10 s`, `1,000 s`.
  static func decade(_ power: Double) -> String {
    let value = pow(10, power)
    guard value < 1e15 else { return "" }
    return value < 1000 ? "\(grouped(Int(value.rounded()))) ms" : "\(grouped(Int((value / 1000).rounded()))) s"
  }

  /// `512 B`, `12 KiB`, `1.5 MiB`.
  static func bytes(_ count: Int64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var (value, unit) = (Double(count), 0)
    while value >= 1024, unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
    return "\(tenths(value)) \(units[unit])"
  }

  /// One digit behind the point below 10, and none if it is 0.
  static func tenths(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "–" }
    let rounded = (value * 10).rounded() / 10
    return value >= 100 || rounded == rounded.rounded() ? String(Int(value.rounded())) : String(rounded)
  }

  /// A coordinate: at most two digits behind the point.
  static func coordinate(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e9 else { return "0" }
    let rounded = (value * 100).rounded() / 100
    return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
  }
}

/// How a page names moments of a series.
struct SeriesLabels {
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  private let calendar: Calendar
  private let interval: Analytics.Interval

  init(_ analytics: Analytics) {
    var calendar = Calendar(identifier: .iso8601)
    calendar.timeZone = TimeZone(identifier: analytics.timeZone) ?? .gmt
    self.calendar = calendar
    interval = analytics.interval
  }

  /// On an axis: `7 Mar`, `14:00`, `Mar 2026`, `2026`.
  func short(_ time: Timestamp) -> String {
    let parts = calendar.dateComponents([.year, .month, .day, .hour], from: time.date)
    let month = Self.months[((parts.month ?? 1) - 1) % 12]
    switch interval {
    case .hour: return "\(parts.hour ?? 0):00"
    case .day, .week: return "\(parts.day ?? 0) \(month)"
    case .month: return "\(month) \(parts.year ?? 0)"
    case .year: return "\(parts.year ?? 0)"
    }
  }

  /// In a table: `7 Mar 2026`, with the hour of hours.
  func long(_ time: Timestamp) -> String {
    let day = date(time)
    switch interval {
    case .hour: return "\(day), \(calendar.component(.hour, from: time.date)):00"
    case .week: return "Week of \(day)"
    case .day: return day
    case .month, .year: return short(time)
    }
  }

  /// `7 Mar 2026`.
  func date(_ time: Timestamp) -> String {
    let parts = calendar.dateComponents([.year, .month, .day], from: time.date)
    return "\(parts.day ?? 0) \(Self.months[((parts.month ?? 1) - 1) % 12]) \(parts.year ?? 0)"
  }

  /// `7 Mar, 14:00`.
  func hour(_ time: Timestamp) -> String {
    let parts = calendar.dateComponents([.month, .day, .hour], from: time.date)
    return "\(parts.day ?? 0) \(Self.months[((parts.month ?? 1) - 1) % 12]), \(parts.hour ?? 0):00"
  }
}
