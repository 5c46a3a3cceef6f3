extension String {
  /// The text without characters that a terminal acts on or does not show: control characters, changes of direction and
  /// invisible characters are written as their number, `\u{202e}`. Line ends and tabs stay.
  ///
  /// Zero-width joiners are escaped too, though emoji contain them: invisible characters can be used to deceive.
  package var terminalSafe: String {
    guard !isPrintableASCII else { return self }
    var result = ""
    var before: Unicode.Scalar?
    var marks = 0
    for scalar in unicodeScalars {
      marks = scalar.isMark ? marks + 1 : 0
      if marks > Self.maximumMarks {
        // A terminal draws more of them over the lines above and below.
        if marks == Self.maximumMarks + 1 { result += "…" }
      } else if scalar.isVisible || scalar == "\u{FE0F}" && before?.isEmoji == true {
        result.unicodeScalars.append(scalar)
      } else {
        result += "\\u{\(String(scalar.value, radix: 16))}"
      }
      before = scalar
    }
    return result
  }

  /// Whether there is nothing but printable ASCII, spaces, tabs and line feeds.
  package var isPrintableASCII: Bool {
    utf8.allSatisfy { (0x20..<0x7F).contains($0) || $0 == 0x0A || $0 == 0x09 }
  }

  /// Combining marks on one letter; no script has more.
  private static var maximumMarks: Int { 8 }

  /// The text on one line, runs of white space as one space.
  package var onOneLine: String {
    replacing("\r\n", with: "\n").terminalSafe.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// Columns in a terminal: wide characters take two.
  package var columns: Int { reduce(0) { $0 + $1.columns } }

  /// At most `width` columns, the last an ellipsis if the text is cut.
  package func fitted(to width: Int) -> String {
    guard columns > width else { return self }
    var used = 1
    let head = prefix { character in
      used += character.columns
      return used <= width
    }
    return head + "…"
  }

  package func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - columns)) }
}

extension Unicode.Scalar {
  /// Whether a terminal shows it in place, and does nothing else.
  fileprivate var isVisible: Bool {
    switch value {
    case 0x09, 0x0A, 0x20..<0x7F: true
    case 0xFFF9...0xFFFB: false
    default:
      switch properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: false
      // Ignorable are tags, variation selectors, fillers, joiners, direction marks and the byte order mark.
      default: !properties.isDefaultIgnorableCodePoint && !properties.isNoncharacterCodePoint
      }
    }
  }

  fileprivate var isMark: Bool {
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark: true
    default: false
    }
  }

  /// Whether an emoji variation selector may follow, as in `⚠️`.
  fileprivate var isEmoji: Bool { value > 0x7F && properties.isEmoji }
}

extension Character {
  /// Roughly Unicode's East Asian Width: the blocks that terminals draw wide.
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
