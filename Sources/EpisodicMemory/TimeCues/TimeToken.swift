/// A word, a number or a mark of a question, as expressions of time are made of.
struct TimeToken {
  enum Kind: Hashable {
    /// A word of the vocabulary of time.
    case word(TimeWord)
    /// Any other word or identifier.
    case other
    case number(Int, digits: Int)
    /// `1st`, `22nd`: 1...31.
    case ordinal(Int)
    /// `7d`: an amount written with its unit.
    case compact(Int, TimeUnit)
    /// `10pm`.
    case clock
    /// `Q2`.
    case quarter(Int)
    /// `H1`.
    case half(Int)
    /// `W23`.
    case week(Int)
    /// `1990s`.
    case decade(Int)
    /// A character of ASCII; `-` for every dash, 0 for other symbols.
    case mark(UInt8)
  }

  let kind: Kind
  /// Bytes of UTF-8.
  let range: Range<Int>
  /// Whether white space, or the beginning of the text, is before it.
  let isSpaced: Bool
  let isCapitalized: Bool
}

extension TimeToken {
  /// The tokens of a text. A possessive `'s` belongs to no token.
  ///
  /// - Complexity: O(*n*) in the length of the text.
  static func tokens(of text: String) -> [TimeToken] {
    let bytes = Array(text.utf8)
    var tokens: [TimeToken] = []
    var position = 0
    var isSpaced = true
    while position < bytes.count {
      let (character, length) = character(in: bytes, at: position)
      var end = position + length
      switch character {
      case .space:
        isSpaced = true
      case .mark(UInt8(ascii: "'")) where isPossessive(bytes, at: end):
        end += 1
      case .mark(let mark):
        tokens.append(TimeToken(kind: .mark(mark), range: position..<end, isSpaced: isSpaced, isCapitalized: false))
        isSpaced = false
      case .letter:
        while end < bytes.count, case (.letter, let length) = self.character(in: bytes, at: end) { end += length }
        tokens.append(
          TimeToken(
            kind: kind(of: bytes[position..<end]), range: position..<end, isSpaced: isSpaced,
            isCapitalized: (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(bytes[position])))
        isSpaced = false
      }
      position = end
    }
    return tokens
  }

  private enum Character {
    case letter, space
    case mark(UInt8)
  }

  /// The character at a byte and its length, as far as words need to be told apart.
  private static func character(in bytes: [UInt8], at position: Int) -> (Character, length: Int) {
    let byte = bytes[position]
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      return (.letter, 1)
    case 0...0x20: return (.space, 1)
    case 0..<0x80: return (.mark(byte), 1)
    case 0xC2 where position + 1 < bytes.count && bytes[position + 1] == 0xA0: return (.space, 2)
    case 0xE2 where position + 2 < bytes.count && bytes[position + 1] == 0x80:
      // General Punctuation.
      switch bytes[position + 2] {
      case 0x80...0x8A, 0xA8, 0xA9, 0xAF: return (.space, 3)
      case 0x90...0x95: return (.mark(UInt8(ascii: "-")), 3)
      case 0x98, 0x99: return (.mark(UInt8(ascii: "'")), 3)
      default: return (.mark(0), 3)
      }
    default: return (.letter, 1)
    }
  }

  private static func isPossessive(_ bytes: [UInt8], at position: Int) -> Bool {
    guard position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "s") else { return false }
    guard position + 1 < bytes.count, case .letter = character(in: bytes, at: position + 1).0 else { return true }
    return false
  }

  private static let unitsOfAmounts: [String: TimeUnit] = [
    "min": .minute, "mins": .minute, "h": .hour, "hr": .hour, "hrs": .hour, "d": .day, "w": .week, "wk": .week,
    "wks": .week, "mo": .month, "y": .year, "yr": .year, "yrs": .year,
  ]

  private static func kind(of run: ArraySlice<UInt8>) -> Kind {
    // Longer ones are in no vocabulary, and such numbers no dates.
    guard run.count <= 13 else { return .other }
    let digits = run.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    if digits.isEmpty { return kind(ofWord: run.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }) }
    guard digits.count <= 9 else { return .other }
    let number = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    let suffix = String(decoding: run.dropFirst(digits.count), as: UTF8.self).lowercased()
    // Amounts have four digits at most, with their unit as without, so that no sum of them is out of range.
    if digits.count <= 4, let unit = unitsOfAmounts[suffix] { return .compact(number, unit) }
    switch suffix {
    case "": return .number(number, digits: digits.count)
    case "st", "nd", "rd", "th": return (1...31).contains(number) ? .ordinal(number) : .other
    case "am", "pm": return .clock
    case "s" where digits.count == 4 && number.isMultiple(of: 10): return .decade(number)
    // `2023-05-07T10:00:00Z`.
    case _ where digits.count == 2 && suffix.first == "t" && suffix.dropFirst().first?.isNumber == true:
      return .number(number, digits: 2)
    default: return .other
    }
  }

  private static func kind(ofWord lowercased: [UInt8]) -> Kind {
    let word = String(decoding: lowercased, as: UTF8.self)
    if let word = TimeWord.vocabulary[word] { return .word(word) }
    guard (2...3).contains(lowercased.count), let number = Int(word.dropFirst()), !word.contains("+"),
      !word.contains("-")
    else { return .other }
    switch (word.first, number) {
    case ("q", 1...4): return .quarter(number)
    case ("h", 1...2): return .half(number)
    case ("w", 1...53): return .week(number)
    default: return .other
    }
  }
}
