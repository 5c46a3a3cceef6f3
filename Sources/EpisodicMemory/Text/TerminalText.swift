/// Text as a terminal shows it: without the escape sequences of ECMA-48 and with backspaces carried out.
package enum TerminalText {
  private static let escape: UInt8 = 0x1B
  private static let backspace: UInt8 = 0x08
  private static let bell: UInt8 = 0x07
  /// The first byte of a control character C1 (U+0080 to U+009F) in UTF-8.
  private static let control: UInt8 = 0xC2

  /// - Returns: `nil` if the text has none.
  package static func cleaned(_ bytes: [UInt8]) -> [UInt8]? {
    guard let first = bytes.firstIndex(where: { $0 == escape || $0 == backspace || $0 == control }) else { return nil }
    var output = Array(bytes[..<first])
    output.reserveCapacity(bytes.count)
    var found = false
    var at = first
    while at < bytes.count {
      let byte = bytes[at]
      switch byte {
      case escape:
        found = true
        at = sequence(bytes, after: at + 1, &output)
      case control where at + 1 < bytes.count && 0x80...0x9F ~= bytes[at + 1]:
        found = true
        // ESC and the character 64 below begin the same sequence.
        at = string(bytes, bytes[at + 1] - 0x40, after: at + 2, &output)
      case backspace:
        found = true
        removeLast(&output)
        at += 1
      default:
        output.append(byte)
        at += 1
      }
    }
    return found ? output : nil
  }

  private static func sequence(_ bytes: [UInt8], after start: Int, _ output: inout [UInt8]) -> Int {
    guard start < bytes.count else { return start }
    switch bytes[start] {
    case 0x20...0x2F:
      // Such as ESC ( B, which chooses a character set.
      var at = start
      while at < bytes.count, 0x20...0x2F ~= bytes[at] { at += 1 }
      return at < bytes.count && 0x30...0x7E ~= bytes[at] ? at + 1 : at
    case 0x30...0x7E: return string(bytes, bytes[start], after: start + 1, &output)
    default: return start
    }
  }

  /// - Parameter kind: The byte after ESC.
  private static func string(_ bytes: [UInt8], _ kind: UInt8, after start: Int, _ output: inout [UInt8]) -> Int {
    switch kind {
    case UInt8(ascii: "["):
      var at = start
      while at < bytes.count, 0x20...0x3F ~= bytes[at] { at += 1 }
      guard at < bytes.count, 0x40...0x7E ~= bytes[at] else { return at }
      if movesCursor(bytes[at]) { output.append(UInt8(ascii: " ")) }
      return at + 1
    case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"):
      var at = start
      while at < bytes.count {
        switch bytes[at] {
        case bell: return at + 1
        case escape where at + 1 < bytes.count && bytes[at + 1] == UInt8(ascii: "\\"): return at + 2
        case control where at + 1 < bytes.count && bytes[at + 1] == 0x9C: return at + 2
        // Without an end, as in output that was cut, it ends with the line.
        case UInt8(ascii: "\n"): return at
        default: at += 1
        }
      }
      return at
    // The cursor is put back or moved to another line.
    case UInt8(ascii: "7"), UInt8(ascii: "8"), UInt8(ascii: "D"), UInt8(ascii: "E"), UInt8(ascii: "M"),
      UInt8(ascii: "c"):
      output.append(UInt8(ascii: " "))
      return start
    default: return start
    }
  }

  /// Whether what follows is printed elsewhere: all but colours, modes, reports and erasing in the line.
  private static func movesCursor(_ final: UInt8) -> Bool {
    switch final {
    case 0x41...0x4A, 0x4C, 0x4D, 0x53, 0x54, 0x60, 0x61, 0x64, 0x65, 0x66, 0x73, 0x75: true
    default: false
    }
  }

  private static func removeLast(_ output: inout [UInt8]) {
    guard let last = output.last, last != UInt8(ascii: "\n"), last != UInt8(ascii: "\r") else { return }
    while let byte = output.popLast(), byte & 0xC0 == 0x80 {}
  }
}
