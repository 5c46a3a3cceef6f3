/// What errors of one kind have in common: one line, in which quoted text, paths, addresses and numbers are masked.
package enum ErrorSignature {
  /// Bytes that are kept.
  static let longest = 96
  /// Bytes that are looked at.
  static let visited = 2048

  /// The line that names the error, masked: `Unknown column '…' in '…'`. `nil` if there is no text.
  ///
  /// Of a traceback that is the last line, of other texts the first that is not blank.
  package static func of(_ result: String) -> String? {
    let bytes = Array(result.utf8.prefix(visited))
    let lines = bytes.split { $0 == newline || $0 == UInt8(ascii: "\r") }.filter { line in
      line.contains { !isBlank($0) }
    }
    guard let first = lines.first, let last = lines.last else { return nil }
    let line = first.starts(with: "Traceback (most recent".utf8) ? last : first
    var masked: [UInt8] = []
    var index = line.startIndex
    var previous = UInt8(ascii: " ")
    while index < line.endIndex, masked.count < longest {
      let byte = line[index]
      if isQuote(byte), !isWord(previous), let end = closingQuote(of: line, from: index) {
        masked += [byte] + Array("…".utf8) + [line[end]]
        index = end + 1
      } else if isBlank(byte) {
        if masked.last != UInt8(ascii: " "), !masked.isEmpty { masked.append(UInt8(ascii: " ")) }
        index += 1
      } else if isSeparator(byte) {
        masked.append(byte)
        index += 1
      } else {
        let end = line[index...].firstIndex { isBlank($0) || isSeparator($0) || isQuote($0) } ?? line.endIndex
        // A quote inside a word is an apostrophe.
        let stop = max(end, index + 1)
        masked += mask(line[index..<stop])
        index = stop
      }
      previous = line[index - 1]
    }
    while masked.last == UInt8(ascii: " ") { masked.removeLast() }
    guard !masked.isEmpty else { return nil }
    var text = String(decoding: masked.prefix(longest), as: UTF8.self)
    if text.hasSuffix("\u{FFFD}") { text.removeLast() }
    return text
  }

  private static let newline = UInt8(ascii: "\n")

  private static func isBlank(_ byte: UInt8) -> Bool { byte <= 0x20 || byte == 0x7F }
  private static func isQuote(_ byte: UInt8) -> Bool { byte == 0x27 || byte == 0x22 || byte == 0x60 }
  private static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }
  private static func isWord(_ byte: UInt8) -> Bool {
    isDigit(byte) || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte || byte == UInt8(ascii: "_") || byte >= 0x80
  }
  private static func isSeparator(_ byte: UInt8) -> Bool { separators.contains(byte) }
  private static let separators = Set("()[]{}<>,;:|=!".utf8)

  /// Of a quoted text: the quote that closes it on this line. A backtick may be closed by an apostrophe.
  private static func closingQuote(of line: ArraySlice<UInt8>, from open: Int) -> Int? {
    let quote = line[open]
    return line[(open + 1)...].firstIndex { byte in
      byte == quote || quote == UInt8(ascii: "`") && byte == UInt8(ascii: "'")
    }
  }

  private static func mask(_ word: ArraySlice<UInt8>) -> [UInt8] {
    if word.contains(UInt8(ascii: "/")) { return Array("<path>".utf8) }
    guard word.contains(where: isDigit) else { return Array(word) }
    // A word of hexadecimal digits and dashes is an identifier; in others each run of digits is one `#`.
    if word.count >= 7, word.allSatisfy({ isDigit($0) || 0x61...0x66 ~= $0 || 0x41...0x46 ~= $0 || $0 == 0x2D }) {
      return [UInt8(ascii: "#")]
    }
    var output: [UInt8] = []
    for byte in word where !(isDigit(byte) && output.last == UInt8(ascii: "#")) {
      output.append(isDigit(byte) ? UInt8(ascii: "#") : byte)
    }
    return output
  }
}
