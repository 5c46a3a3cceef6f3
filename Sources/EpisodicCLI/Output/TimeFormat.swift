import Episodic
import Foundation

/// How times are shown to people.
struct TimeFormat {
  var isUTC = false
  var zone = TimeZone.current
  var now = Timestamp(Date())

  /// To the second, with the zone: `2026-01-31 12:00:00 +01:00`, in UTC `2026-01-31 12:00:00Z`.
  func exact(_ time: Timestamp) -> String {
    let offset = isUTC ? 0 : zone.secondsFromGMT(for: time.date)
    let (shifted, overflow) = time.milliseconds.addingReportingOverflow(Int64(offset) * 1000)
    guard !overflow, Timestamp.accepted.contains(Timestamp(milliseconds: shifted)) else { return time.description }
    let text = Timestamp(milliseconds: shifted).description.prefix(19).replacing("T", with: " ")
    guard !isUTC else { return text + "Z" }
    let minutes = abs(offset) / 60
    return "\(text) \(offset < 0 ? "-" : "+")\(Self.two(minutes / 60)):\(Self.two(minutes % 60))"
  }

  /// The age, which fits a column: `now`, `5 min ago`, `3 h ago`, `12 d ago`, then the day.
  ///
  /// A time in the future is shown as its day.
  func age(_ time: Timestamp) -> String {
    let seconds = now.milliseconds / 1000 - time.milliseconds / 1000
    switch seconds {
    case 0..<60: return "now"
    case 60..<3600: return "\(seconds / 60) min ago"
    case 3600..<86_400: return "\(seconds / 3600) h ago"
    case 86_400..<(30 * 86_400): return "\(seconds / 86_400) d ago"
    default: return String(exact(time).prefix(10))
    }
  }

  /// In a table: the age on a terminal, where it is read now; the exact time in a file.
  func inTable(_ time: Timestamp) -> String { StandardOutput.isTerminal ? age(time) : exact(time) }

  private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
