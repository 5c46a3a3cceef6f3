extension ScannedText {
  /// A sign of private use that makes a token of a word and a sign: SQLite's tokenizer takes it for a letter.
  private static func letter(for sign: UInt8) -> [UInt8] {
    var bytes: [UInt8] = []
    FoldedWord.append(FoldedWord.shifted(Unicode.Scalar(sign)), to: &bytes)
    return bytes
  }

  /// The token of a word of a label.
  static func label(_ token: [UInt8]) -> [UInt8] { letter(for: labelSign) + token }

  private static let labelSign = UInt8(ascii: "@")

  /// A token as people would write it, and whether it is of a label.
  static func readable(_ token: String) -> (word: String, isLabel: Bool) {
    var word = String.UnicodeScalarView()
    var isLabel = false
    for scalar in token.unicodeScalars {
      guard 0xF0000...0xFFFFF ~= scalar.value else {
        word.append(scalar)
        continue
      }
      let low = scalar.value & 0xFFFF
      if low == UInt32(labelSign) {
        isLabel = true
      } else if low != 0x20 {
        // Those of the other planes stand for ideographs.
        let isShifted = CharacterClasses.isKept(low) || 0xD800...0xDFFF ~= low
        word.append(Unicode.Scalar(isShifted ? 0x10000 | (low ^ 0x8000) : low) ?? scalar)
      }
    }
    return (String(word), isLabel)
  }

  /// Calls `body` with the tokens of a unit, in order: one of a word, the bigrams of a run.
  func forEachToken(of unit: Unit, _ body: ([UInt8]) -> Void) {
    guard unit.kind == .run else { return body(token(of: unit)) }
    FoldedWord.bigrams(Array(String(decoding: bytes(of: unit), as: UTF8.self).unicodeScalars), body)
  }

  /// The token of a word.
  func token(of unit: Unit) -> [UInt8] {
    guard unit.kind == .ascii else { return Array(bytes(of: unit)) }
    return bytes(of: unit).map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }
  }

  /// The token of a word that signs make another name (`c++`, `c#`, `.net`), or that stands alone and would be one of
  /// those otherwise (`c`); `nil` for others.
  func marked(_ unit: Unit) -> [UInt8]? {
    if unit.signCount > 0 {
      return (0..<unit.signCount).reduce(token(of: unit)) { token, _ in token + Self.letter(for: unit.sign) }
    }
    if unit.hasPeriod { return Self.letter(for: UInt8(ascii: ".")) + token(of: unit) }
    guard unit.kind == .ascii, unit.bytes.count == 1, unit.isAlone else { return nil }
    let token = token(of: unit)
    return Self.lettersWithSigns.contains(token[0]) ? token + Self.letter(for: UInt8(ascii: " ")) : nil
  }

  /// Languages of one letter that others are named after.
  private static let lettersWithSigns = Array("cfjq".utf8)

  /// Calls `body` with the names that words of the text make beyond their own tokens: names of several words as one, names
  /// with signs, parts of identifiers.
  ///
  /// - Parameter isQuestion: Whether to leave out what is not looked up: the letters of `E1045`, which many names share.
  func forEachName(isQuestion: Bool, _ body: ([UInt8]) -> Void) {
    forEachCompound { units in
      if units.count == 1, let unit = units.first, !unit.mayHaveNames { return }
      for unit in units {
        if let marked = marked(unit) { body(marked) }
      }
      names(of: units, body)
      for unit in units { forEachPart(of: unit, isQuestion: isQuestion, body) }
    }
  }

  func names(of units: ArraySlice<Unit>, _ body: ([UInt8]) -> Void) {
    guard units.count > 1 else { return }
    let words = units.map { unit in
      (token: unit.signCount == 0 ? token(of: unit) : marked(unit) ?? token(of: unit), join: unit.join)
    }
    NameParts.names(words[...], body)
  }

  func forEachPart(of unit: Unit, isQuestion: Bool, _ body: ([UInt8]) -> Void) {
    guard unit.isMixed, let (shape, parts) = NameParts.parts(of: bytes(of: unit)) else { return }
    switch shape {
    case .mixedCase: for part in parts { body(part) }
    // A single letter or digit says nothing.
    case .numbered where !isQuestion: for part in parts where part.count > 1 { body(part) }
    case .numbered: break
    }
  }

  /// The hash of the token of an ASCII word.
  func hash(ofASCII unit: Unit) -> UInt64 {
    unit.isOther ? WordHashes.lowercaseHash(others, unit.bytes) : WordHashes.lowercaseHash(text, unit.bytes)
  }

  /// Calls `body` with maximal sequences of joined words.
  func forEachCompound(_ body: (ArraySlice<Unit>) -> Void) {
    var start = 0
    while start < units.count {
      var end = start + 1
      while end < units.count, units[end - 1].join != .none, units[end].kind != .run { end += 1 }
      body(units[start..<end])
      start = end
    }
  }
}

extension ScannedText.Unit {
  /// Whether a word that nothing joins to another makes more names than its token.
  fileprivate var mayHaveNames: Bool { isMixed || signCount > 0 || hasPeriod || (kind == .ascii && bytes.count == 1) }
}
