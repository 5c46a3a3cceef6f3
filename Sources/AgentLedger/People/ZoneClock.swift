import Foundation
import StoreValues

/// The clock on the wall of a time zone.
struct ZoneClock: Sendable {
  private let zone: TimeZone

  /// - Throws: `.invalid` for a name that the IANA database does not have.
  init(_ name: String) throws(MemoryError) {
    guard Self.isName(name), let zone = TimeZone(identifier: name) else {
      throw MemoryError(
        .invalid,
        "there is no time zone \"\(name.shortened(to: 60))\"; give a name of the IANA database such as Europe/Berlin or UTC"
      )
    }
    self.zone = zone
  }

  /// Foundation also takes abbreviations and offsets, `PST` and `GMT+1`, which know of no clock changes.
  private static func isName(_ name: String) -> Bool {
    name.contains("/") || shortNames.contains(name) || TimeZone.knownTimeZoneIdentifiers.contains(name)
  }

  /// Names of the IANA database without an area that Foundation does not list.
  private static let shortNames: Set = [
    "UTC", "GMT", "CET", "EET", "MET", "WET", "EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT",
  ]

  /// Milliseconds east of UTC.
  func offset(at time: Timestamp) -> Int64 { Int64(zone.secondsFromGMT(for: time.date)) * 1000 }

  /// Milliseconds since midnight on the wall, 0 ..< 86,400,000, as if no clock were ever changed that day.
  func timeOfDay(at time: Timestamp) -> Int64 {
    let (local, overflow) = time.milliseconds.addingReportingOverflow(offset(at: time))
    return (overflow ? time.milliseconds : local).flooredDivision(by: 86_400_000).remainder
  }

  /// The first moment after `start` and up to `end` at which the offset is another one than at `start`; `nil` if there is none.
  ///
  /// Cost: a look an hour, and 22 at a change.
  func change(after start: Timestamp, upTo end: Timestamp) -> Timestamp? {
    let before = offset(at: start)
    var low = start.milliseconds
    while low < end.milliseconds {
      var high = min(low + 3_600_000, end.milliseconds)
      if offset(at: Timestamp(milliseconds: high)) != before {
        while high - low > 1 {
          let middle = low + (high - low) / 2
          if offset(at: Timestamp(milliseconds: middle)) == before { low = middle } else { high = middle }
        }
        return Timestamp(milliseconds: high)
      }
      low = high
    }
    return nil
  }
}
