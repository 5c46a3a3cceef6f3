/// A text cut into words as the analyser sees them.
struct ScannedText {
  /// A word, or the part of one that is of scripts with or of scripts without spaces.
  struct Unit {
    enum Kind {
      /// ASCII, in the case of the text.
      case ascii
      /// Folded, or not ASCII and folded by SQLite's tokenizer as by `FoldedWord`.
      case folded
      /// Scalars of scripts without spaces.
      case run
    }

    /// How a word is joined to the next one.
    enum Join: UInt8, Comparable {
      case none, underscore, hyphen, period, other

      static func < (a: Join, b: Join) -> Bool { a.rawValue < b.rawValue }
    }

    let kind: Kind
    /// The token of a word, in lower case if it is folded; the scalars of a run.
    let bytes: Range<Int>
    /// Whether `bytes` are of `ScannedText.others`, not of its text.
    var isOther = false
    /// The number of the word, a maximal run of letters, digits and marks, that it is of.
    let word: Int
    var join = Join.none
    /// The sign after it that makes it another name, and how often it stands there: `++` of C++, `#` of C#.
    var sign: UInt8 = 0
    var signCount: UInt8 = 0
    /// Whether it is an identifier in mixed case, or letters and digits.
    var isMixed = false
    /// Whether it begins a name with a period, such as .NET.
    var hasPeriod = false
    /// Whether nothing joins it to what stands before and after it.
    var isAlone = true
  }

  /// UTF-8, without escape sequences.
  let text: [UInt8]
  private(set) var others: [UInt8] = []
  private(set) var units: [Unit] = []
  /// Whether SQLite's tokenizer finds the same words in the text as it is stored, in the same order.
  private(set) var isPlain: Bool
  /// The words with characters other than ASCII, by their numbers, as they stand in `text`, and whether SQLite's tokenizer
  /// finds them under their folded form.
  private(set) var wideWords: [(word: Int, bytes: Range<Int>, isFoldedAlike: Bool)] = []

  init(_ text: String) {
    let bytes = Array(text.utf8)
    let cleaned = TerminalText.cleaned(bytes)
    self.text = cleaned ?? bytes
    isPlain = cleaned == nil
    scan()
  }

  func bytes(of unit: Unit) -> ArraySlice<UInt8> { unit.isOther ? others[unit.bytes] : text[unit.bytes] }

  // MARK: Scanning

  private mutating func scan() {
    var at = 0
    var words = 0
    while at < text.count {
      let byte = text[at]
      if byte < 0x80 {
        guard CharacterClasses.isAlphanumeric(byte) else {
          at += 1
          continue
        }
        let end = endOfASCII(at)
        if end < text.count, text[end] >= 0x80, continuesWord(at: end) {
          at = addWord(at, number: words)
        } else {
          addASCII(at..<end, number: words)
          at = end
        }
        words += 1
      } else {
        let (scalar, length) = self.scalar(at: at)
        if CharacterClasses.isIgnored(scalar.value) || !CharacterClasses.isPartOfWord(scalar) {
          if !separates(scalar), at + length < text.count, continuesWord(at: at + length) { isPlain = false }
          at += length
        } else {
          at = addWord(at, number: words)
          words += 1
        }
      }
    }
  }

  private func endOfASCII(_ start: Int) -> Int {
    var at = start
    while at < text.count, CharacterClasses.isAlphanumeric(text[at]) { at += 1 }
    return at
  }

  /// Decodes one scalar; bytes that are not UTF-8 do not occur in a `String`.
  private func scalar(at start: Int) -> (Unicode.Scalar, Int) {
    let first = text[start]
    guard first >= 0x80 else { return (Unicode.Scalar(first), 1) }
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    guard first >= 0xC2, start + length <= text.count else { return ("\u{FFFD}", 1) }
    var value = UInt32(first & (0xFF >> UInt8(length + 1)))
    for byte in text[(start + 1)..<(start + length)] { value = value << 6 | UInt32(byte & 0x3F) }
    return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
  }

  /// Whether a word goes on at a place, for the analyser or for SQLite's tokenizer.
  private mutating func continuesWord(at start: Int) -> Bool {
    var at = start
    while at < text.count {
      let (scalar, length) = self.scalar(at: at)
      if CharacterClasses.isIgnored(scalar.value) {
        at += length
        continue
      }
      if CharacterClasses.isPartOfWord(scalar) { return true }
      // The tokenizer takes it for a letter, so its word is another one.
      if !separates(scalar) { isPlain = false }
      return false
    }
    return false
  }

  private func separates(_ scalar: Unicode.Scalar) -> Bool {
    CharacterClasses.isIgnored(scalar.value) || CharacterClasses.separates(scalar.value)
  }

  private mutating func addASCII(_ range: Range<Int>, number: Int) {
    var unit = Unit(kind: .ascii, bytes: range, word: number)
    unit.isMixed = NameParts.isMixed(text[range])
    add(&unit, from: range.lowerBound, to: range.upperBound)
    units.append(unit)
  }

  /// Adds the word that begins at a place and has characters other than ASCII.
  ///
  /// - Returns: Its end.
  private mutating func addWord(_ start: Int, number: Int) -> Int {
    var end = start
    var isFoldedAlike = true
    var at = start
    while at < text.count {
      let (scalar, length) = self.scalar(at: at)
      if CharacterClasses.isIgnored(scalar.value) {
        // All of them at once: each alone would look at those after it again.
        var next = at + length
        while next < text.count {
          let (following, length) = self.scalar(at: next)
          guard CharacterClasses.isIgnored(following.value) else { break }
          next += length
        }
        // At the end of a word they change nothing.
        guard next < text.count, continuesWord(at: next) else { break }
        isFoldedAlike = false
        (at, end) = (next, next)
        continue
      } else if !CharacterClasses.isPartOfWord(scalar) {
        if !separates(scalar) { isPlain = false }
        break
      } else if !scalar.isASCII, !CharacterClasses.isFoldedAlike(scalar.value) {
        isFoldedAlike = false
      }
      at += length
      end = at
    }
    let parts = FoldedWord.parts(of: String(decoding: text[start..<end], as: UTF8.self))
    if parts.isEmpty { return end }
    if !isFoldedAlike { isPlain = false }
    wideWords.append((number, start..<end, isFoldedAlike))
    for (index, part) in parts.enumerated() {
      let begin = others.count
      let kind: Unit.Kind
      switch part {
      case .ascii(let bytes):
        others += bytes
        kind = .ascii
      case .folded(let bytes):
        others += bytes
        kind = .folded
      case .run(let scalars):
        for scalar in scalars { FoldedWord.append(scalar, to: &others) }
        kind = .run
      }
      var unit = Unit(kind: kind, bytes: begin..<others.count, isOther: true, word: number)
      if kind == .ascii { unit.isMixed = NameParts.isMixed(others[unit.bytes]) }
      add(&unit, from: index == 0 ? start : nil, to: index == parts.count - 1 ? end : nil)
      units.append(unit)
    }
    return end
  }

  /// Notes what joins a word to its neighbours.
  ///
  /// - Parameter start: Of the word; `nil` if another part of the word stands before it.
  /// - Parameter end: Likewise.
  private func add(_ unit: inout Unit, from start: Int?, to end: Int?) {
    guard unit.kind != .run else { return }
    if let start, start > 0, text[start - 1] == UInt8(ascii: ".") {
      let before = start > 1 ? text[start - 2] : UInt8(ascii: " ")
      unit.hasPeriod = !CharacterClasses.isAlphanumeric(before) && before < 0x80 && !Self.closes(before)
    }
    // A sign joins two words: the hyphen of `-f` joins nothing.
    if let start, start > 1, Self.joins(text[start - 1]), Self.isOfWord(text[start - 2]) { unit.isAlone = false }
    guard let end else { return }
    var at = end
    if at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "#") {
      let sign = text[at]
      while at < text.count, text[at] == sign { at += 1 }
      let count = at - end
      let isName = sign == UInt8(ascii: "+") ? count == 2 : count == 1
      let isEnd = at == text.count || !CharacterClasses.isAlphanumeric(text[at])
      if isName, isEnd || count == 2, unit.kind == .ascii, unit.bytes.count <= 16 {
        (unit.sign, unit.signCount) = (sign, UInt8(count))
        unit.isAlone = false
        if !isEnd { unit.join = .hyphen }
        return
      }
      at = end
    }
    guard at < text.count, Self.joins(text[at]) else { return }
    let sign = text[at]
    var next = at + 1
    if sign == UInt8(ascii: "'") {
      if next < text.count, Self.isOfWord(text[next]) { unit.isAlone = false }
      return
    }
    if sign == UInt8(ascii: ":") {
      if next < text.count, text[next] == sign {
        next += 1
      } else if next + 1 < text.count, text[next] == UInt8(ascii: "/"), text[next + 1] == UInt8(ascii: "/") {
        next += 2
      } else if next < text.count, 0x30...0x39 ~= text[next] {
        // A line, a column, a port, a minute.
        unit.isAlone = false
        return
      }
    }
    guard next < text.count else { return }
    let follows =
      text[next] < 0x80
      ? CharacterClasses.isAlphanumeric(text[next]) : CharacterClasses.isPartOfWord(scalar(at: next).0)
    guard follows else { return }
    unit.isAlone = false
    unit.join =
      switch sign {
      case UInt8(ascii: "_"): .underscore
      case UInt8(ascii: "-"): .hyphen
      case UInt8(ascii: "."): .period
      default: .other
      }
  }

  /// Whether a byte is of a letter or a digit, or of a character other than ASCII, which mostly is.
  private static func isOfWord(_ byte: UInt8) -> Bool { byte >= 0x80 || CharacterClasses.isAlphanumeric(byte) }

  private static func joins(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x23, 0x27, 0x2B, 0x2D, 0x2E, 0x2F, 0x3A, 0x40, 0x5C, 0x5F, 0x7E: true
    default: false
    }
  }

  /// Whether a period after this belongs to an expression before it: `f(x).y`.
  private static func closes(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x29, 0x2E, 0x5D, 0x7D: true
    default: false
    }
  }
}
