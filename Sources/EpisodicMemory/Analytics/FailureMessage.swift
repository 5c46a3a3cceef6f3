/// What failures of one kind have in common: the first line of a result, without what differs from one to the next.
enum FailureMessage {
  /// Characters that are kept.
  static let longest = 120
  /// Bytes that are looked at.
  static let bytes = 512

  /// The first line that is not blank, at most 120 characters: runs of white space as one space, numbers as `#`, paths as `<path>`,
  /// addresses as `<url>`.
  ///
  /// A number is a run of digits with the points between them, or a word of 7 and more hexadecimal digits and dashes that has a
  /// digit. A path is a word that begins with `/`, `./`, `../` or `~/`, or has two separators, or one and a point behind it.
  static func normalized(_ result: String) -> String {
    let head = Array(result.utf8.prefix(bytes))
    let text = TerminalText.cleaned(head) ?? head
    let lines = text.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
    guard let line = lines.first(where: { !$0.allSatisfy(isBlank) }) else { return "" }
    var output: [UInt8] = []
    var word = line[line.startIndex..<line.startIndex]
    for index in line.indices {
      let byte = line[index]
      guard isBlank(byte) || separators.contains(byte) else {
        word = line[word.startIndex..<index + 1]
        continue
      }
      append(word, to: &output)
      word = line[index + 1..<index + 1]
      if !isBlank(byte) {
        output.append(byte)
      } else if let last = output.last, last != UInt8(ascii: " ") {
        output.append(UInt8(ascii: " "))
      }
    }
    append(word, to: &output)
    if output.last == UInt8(ascii: " ") { output.removeLast() }
    // The cut at a number of bytes may have halved a character.
    let cleaned = String(decoding: output, as: UTF8.self)
    let whole = head.count == bytes && cleaned.last == "\u{FFFD}" ? String(cleaned.dropLast()) : cleaned
    return whole.count > longest ? whole.prefix(longest - 1) + "…" : whole
  }

  private static let separators = Set("\"'`()[]{}<>,;:|=".utf8)

  private static func isBlank(_ byte: UInt8) -> Bool { byte <= 0x20 || byte == 0x7F }

  private static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }

  private static func append(_ word: ArraySlice<UInt8>, to output: inout [UInt8]) {
    if word.starts(with: "//".utf8), output.last == UInt8(ascii: ":") {
      // The scheme goes with the rest of the address.
      output.removeLast()
      while let last = output.last, CharacterClasses.isAlphanumeric(last) { output.removeLast() }
      return output.append(contentsOf: "<url>".utf8)
    }
    // A sentence may end behind it.
    let end = word.lastIndex { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "!") }.map { $0 + 1 } ?? word.startIndex
    let (name, rest) = (word[..<end], word[end...])
    if isPath(name) { return output.append(contentsOf: Array("<path>".utf8) + rest) }
    if isIdentifier(name) { return output.append(contentsOf: [UInt8(ascii: "#")] + rest) }
    var index = word.startIndex
    while index < word.endIndex {
      guard isDigit(word[index]) else {
        output.append(word[index])
        index += 1
        continue
      }
      output.append(UInt8(ascii: "#"))
      while index < word.endIndex,
        isDigit(word[index])
          || word[index] == UInt8(ascii: ".") && index + 1 < word.endIndex && isDigit(word[index + 1])
      {
        index += 1
      }
    }
  }

  private static func isPath(_ word: ArraySlice<UInt8>) -> Bool {
    guard let last = word.lastIndex(where: isSlash), word.count > 1 else { return false }
    let start = word.prefix { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "~") }
    if start.count <= 2, start.endIndex < word.endIndex, isSlash(word[start.endIndex]) { return true }
    return word.count(where: isSlash) >= 2 || word[last...].contains(UInt8(ascii: "."))
  }

  private static func isSlash(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") }

  private static func isIdentifier(_ word: ArraySlice<UInt8>) -> Bool {
    word.count >= 7 && word.contains(where: isDigit)
      && word.allSatisfy { byte in
        isDigit(byte) || 0x61...0x66 ~= byte || 0x41...0x46 ~= byte || byte == UInt8(ascii: "-")
      }
  }
}
