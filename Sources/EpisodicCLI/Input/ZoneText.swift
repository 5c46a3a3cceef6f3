import ArgumentParser
import Foundation

/// Time zones as people write them on a command line.
enum ZoneText {
  @Sendable static func parse(_ text: String) throws -> TimeZone {
    if let offset = offset(text), let zone = TimeZone(secondsFromGMT: offset) { return zone }
    if !text.isEmpty, let zone = TimeZone(identifier: text) { return zone }
    throw ValidationError("\"\(text)\" is no time zone; write Europe/Berlin, UTC or +02:00")
  }

  /// Seconds of `+02:00`, `-0530`, `+2`; `nil` for another form.
  private static func offset(_ text: String) -> Int? {
    guard let sign = text.first, sign == "+" || sign == "-" else { return nil }
    let digits = text.dropFirst().filter { $0 != ":" }
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), (1...4).contains(digits.count),
      let number = Int(digits)
    else { return nil }
    let (hours, minutes) = digits.count <= 2 ? (number, 0) : (number / 100, number % 100)
    guard hours <= 14, minutes < 60 else { return nil }
    return (sign == "-" ? -1 : 1) * (hours * 3600 + minutes * 60)
  }
}
