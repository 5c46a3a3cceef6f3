extension String {
  /// The text as a terminal may show it: what would move the cursor, change colours or turn the direction of writing is
  /// replaced by a visible sign. Line ends and tabs stay.
  var harmless: String {
    String(
      String.UnicodeScalarView(
        unicodeScalars.map { scalar in
          switch scalar.value {
          case 0x09, 0x0A: scalar
          case 0x00..<0x20: Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}"
          case 0x7F: "\u{2421}"
          case 0x80..<0xA0, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: "\u{FFFD}"
          default: scalar
          }
        }))
  }

  /// The text on one line, runs of white space as one space.
  var onOneLine: String {
    replacing("\r\n", with: "\n").harmless.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// Columns in a terminal: wide characters take two.
  var columns: Int { reduce(0) { $0 + $1.columns } }

  /// At most `width` columns, the last of them an ellipsis where something is cut off.
  func fitted(to width: Int) -> String {
    guard columns > width else { return self }
    var used = 1
    let head = prefix { character in
      used += character.columns
      return used <= width
    }
    return head + "…"
  }

  func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - columns)) }
}

extension Character {
  /// After Unicode's East Asian Width, roughly: the blocks that terminals draw wide.
  fileprivate var columns: Int {
    guard let scalar = unicodeScalars.first else { return 0 }
    return switch scalar.value {
    case ..<0x1100: 1
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1FAFF, 0x20000...0x3FFFD:
      2
    default: 1
    }
  }
}
