extension Timestamp {
  /// Reads a time exactly as the interchange format has it: a date that exists, a time of day, a zone, and nothing else.
  ///
  /// Foundation's parser alone takes `2026-02-31`, hour 24, and anything that follows the zone.
  init?(line text: String) {
    guard Self.isWellFormed(Array(text.utf8)) else { return nil }
    self.init(text)
  }

  private static func isWellFormed(_ bytes: [UInt8]) -> Bool {
    func number(_ range: Range<Int>) -> Int? {
      guard range.upperBound <= bytes.count else { return nil }
      var value = 0
      for byte in bytes[range] {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        value = value * 10 + Int(byte - UInt8(ascii: "0"))
      }
      return value
    }
    let marks: [(Int, Unicode.Scalar)] = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")]
    guard bytes.count >= 20, marks.allSatisfy({ bytes[$0] == UInt8(ascii: $1) }),
      let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
      (1...9999).contains(year), (1...12).contains(month), (1...days(in: month, of: year)).contains(day),
      hour < 24, minute < 60, second < 60
    else { return false }
    var zone = 19
    if bytes[zone] == UInt8(ascii: ".") {
      zone += 1
      while zone < bytes.count, number(zone..<zone + 1) != nil { zone += 1 }
      guard zone > 20 else { return false }
    }
    let rest = bytes[zone...]
    if rest.elementsEqual([UInt8(ascii: "Z")]) { return true }
    guard rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") else { return false }
    let minutes = rest.count == 6 && bytes[zone + 3] == UInt8(ascii: ":") ? zone + 4 : zone + 3
    guard minutes + 2 == bytes.count, let hours = number(zone + 1..<zone + 3), let rest = number(minutes..<minutes + 2)
    else { return false }
    return hours < 24 && rest < 60
  }

  private static func days(in month: Int, of year: Int) -> Int {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
    default: 31
    }
  }
}

extension JSONScanner {
  /// What a time looks like, for messages.
  static let timeWanted = "an ISO 8601 UTC time such as 2026-01-31T12:00:00Z"

  mutating func time() throws(MemoryError) -> Timestamp {
    let text = try text(Self.timeWanted)
    guard let time = Timestamp(line: text) else {
      throw fault("is \"\(text.shortened(to: 60))\"; write \(Self.timeWanted)")
    }
    return time
  }
}
