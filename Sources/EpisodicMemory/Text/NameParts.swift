/// The parts of identifiers, and the one word that a name of several makes.
enum NameParts {
  /// Longer ones are no names: encoded data, digests.
  private static let longestWord = 64
  private static let mostParts = 12
  /// Bytes of the one word of a path, a URL or another name of several words.
  static let longestName = 64
  /// Words of such a name.
  private static let mostWords = 32

  /// Whether a word may have parts: it has capitals after its first letter and small letters, or letters and digits.
  static func isMixed(_ word: ArraySlice<UInt8>) -> Bool {
    guard word.count > 1 else { return false }
    var (hasSmall, hasInnerCapital, hasDigit, hasLetter) = (false, false, false, false)
    for index in word.indices {
      switch word[index] {
      case 0x30...0x39: hasDigit = true
      case 0x41...0x5A:
        hasLetter = true
        if index > word.startIndex { hasInnerCapital = true }
      default: (hasSmall, hasLetter) = (true, true)
      }
    }
    return (hasSmall && hasInnerCapital) || (hasDigit && hasLetter)
  }

  /// How a word is written.
  enum Shape {
    /// `getUserById`, `HTTPServer2`: its parts are words of a question, too.
    case mixedCase
    /// `E1045`, `handler0`: a question names it as a whole.
    case numbered
  }

  /// The parts of an identifier, in lower case: `getUserById` is get user by id, `HTTPServer2` http server 2, `E1045` e 1045.
  ///
  /// - Returns: `nil` for a word without parts, and for one that is no name.
  static func parts(of word: ArraySlice<UInt8>) -> (shape: Shape, parts: [[UInt8]])? {
    guard word.count <= longestWord else { return nil }
    var parts: [[UInt8]] = []
    var part: [UInt8] = []
    var hasCaseChange = false
    var last = Letter.none
    for index in word.indices {
      let letter = Letter(word[index])
      if !part.isEmpty {
        let next = word.index(after: index)
        let beforeSmall =
          next < word.endIndex && Letter(word[next]) == .small
          // The plural of an abbreviation: `IDs`.
          && !(word.index(after: next) == word.endIndex && word[next] == UInt8(ascii: "s"))
        let isBoundary =
          switch (last, letter) {
          case (.small, .capital): true
          case (.capital, .capital): beforeSmall
          case (.digit, .small), (.digit, .capital), (.small, .digit), (.capital, .digit): true
          default: false
          }
        if isBoundary {
          if last == .small && letter == .capital || last == .capital && letter == .capital { hasCaseChange = true }
          parts.append(part)
          part = []
          guard parts.count < mostParts else { return nil }
        }
      }
      part.append(word[index] | (letter == .capital ? 0x20 : 0))
      last = letter
    }
    parts.append(part)
    guard parts.count > 1 else { return nil }
    if hasCaseChange { return parts.count * 2 <= word.count ? (.mixedCase, parts) : nil }
    // Letters, then digits: others are numbers with units, ordinals or digits in base 16.
    guard parts.count == 2, Letter(parts[0][0]) != .digit else { return nil }
    return (.numbered, parts)
  }

  private enum Letter {
    case none, small, capital, digit

    init(_ byte: UInt8) {
      self =
        switch byte {
        case 0x30...0x39: .digit
        case 0x41...0x5A: .capital
        default: .small
        }
    }
  }

  // MARK: Names of several words

  /// The one words of a name and of the names in it, the longest first: of `src/user_id.py` these are `srcuseridpy`,
  /// `useridpy` and `userid`.
  ///
  /// - Parameter words: The tokens and what joins each to the next.
  static func names(_ words: ArraySlice<(token: [UInt8], join: ScannedText.Unit.Join)>, _ body: ([UInt8]) -> Void) {
    guard words.count > 1, !isDate(words) else { return }
    let joins = words.dropLast().map(\.join)
    guard let widest = joins.max() else { return }
    let length = words.reduce(0) { $0 + $1.token.count }
    if words.count <= mostWords, length <= longestName, !isDigest(words, length), isName(words, widest) {
      body(words.reduce(into: []) { $0 += $1.token })
    }
    guard joins.contains(where: { $0 < widest }) else { return }
    for part in words.indices.split(whereSeparator: { $0 > words.startIndex && words[$0 - 1].join == widest }, words) {
      names(words[part], body)
    }
  }

  private static func isNumber(_ token: [UInt8]) -> Bool { token.allSatisfy { 0x30...0x39 ~= $0 } }

  /// Numbers make a name if they are a version or an address: `1.2.3`.
  private static func isName(
    _ words: ArraySlice<(token: [UInt8], join: ScannedText.Unit.Join)>, _ widest: ScannedText.Unit.Join
  ) -> Bool {
    guard words.allSatisfy({ isNumber($0.token) }) else { return true }
    return words.count > 2 && widest == .period
  }

  /// Whether it begins with a date, `2026-01-31`: times are many, and nobody asks for them whole.
  private static func isDate(_ words: ArraySlice<(token: [UInt8], join: ScannedText.Unit.Join)>) -> Bool {
    let first = words.prefix(2).map(\.token)
    return first.count == 2 && first[0].count == 4 && first[1].count == 2 && first.allSatisfy(isNumber)
  }

  /// Whether it is a digest or a UUID.
  private static func isDigest(
    _ words: ArraySlice<(token: [UInt8], join: ScannedText.Unit.Join)>, _ length: Int
  ) -> Bool {
    length >= 16
      && words.allSatisfy { word in
        word.token.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
      }
  }
}

extension Range<Int> {
  /// The subranges between the indices at which a new one begins.
  fileprivate func split<Base>(whereSeparator begins: (Int) -> Bool, _ base: Base) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var start = lowerBound
    for index in self where index > start && begins(index) {
      parts.append(start..<index)
      start = index
    }
    if start < upperBound { parts.append(start..<upperBound) }
    return parts
  }
}
