/// Words as a shell would have to be given them.
enum ShellWords {
  /// The words in one line, quoted where a shell would take them for something else.
  static func joined(_ words: [[UInt8]]) -> String { words.map(quoted).joined(separator: " ") }

  private static func quoted(_ bytes: [UInt8]) -> String {
    guard let word = String(validating: bytes, as: UTF8.self) else { return quotedBytes(bytes) }
    guard word.isEmpty || !word.unicodeScalars.allSatisfy(isPlain) else { return word }
    return "'\(word.replacing("'", with: "'\\''"))'"
  }

  /// What is not UTF-8, as bash, zsh and ksh read it: `$'caf\xE9.txt'`.
  private static func quotedBytes(_ bytes: [UInt8]) -> String {
    let escaped = bytes.map { byte in
      switch byte {
      case UInt8(ascii: "\\"), UInt8(ascii: "'"): "\\\(Character(Unicode.Scalar(byte)))"
      case 0x20..<0x7F: "\(Character(Unicode.Scalar(byte)))"
      default: "\\x\(String(byte, radix: 16, uppercase: true).leftPadded(to: 2))"
      }
    }
    return "$'\(escaped.joined())'"
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", "/", ":", "=", ",", "@", "%", "+": true
    default: scalar.value > 0x7F && !scalar.properties.isWhitespace
    }
  }
}

extension String {
  fileprivate func leftPadded(to count: Int) -> String {
    String(repeating: "0", count: max(0, count - utf8.count)) + self
  }
}
