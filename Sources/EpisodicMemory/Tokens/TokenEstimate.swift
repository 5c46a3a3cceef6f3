/// Estimates how many tokens a language model reads in a text, without its vocabulary.
///
/// Follows how byte-pair encoders split a text before they look anything up: words with the space before them, parts of
/// identifiers in camel case, three digits at a time, runs of marks, indentation. What a part costs by its length was fitted to
/// o200k_base over dialogues, logs of tool runs, Swift, Python, JSON and program messages in 30 languages. English prose, code,
/// JSON, logs and shell sessions err by less than 10 %, German, Russian, Chinese, Japanese, Korean, Hindi, Arabic and Thai by less
/// than 15 %, other languages in Latin letters by up to 30 %, too low. Older encoders need up to three times as many for
/// other scripts than Latin.
public enum TokenEstimate {
  /// At least 1 for a text that is not empty.
  ///
  /// - Complexity: O(*n*), about 10 ns a character.
  public static func count(_ text: String) -> Int {
    var counter = Counter()
    for scalar in text.unicodeScalars { counter.add(scalar) }
    counter.endRun()
    return text.isEmpty ? 0 : max(1, Int(counter.tokens.rounded(.up)))
  }

  /// Tokens of letters in a row by their number: at the beginning of a word, and inside an identifier.
  private static let word = [0, 1, 1, 1, 1, 1.02, 1.05, 1.1, 1.18, 1.25, 1.35, 1.5, 1.7, 1.95, 2.25, 2.5, 2.8]
  private static let part = [0, 1, 1, 1.04, 1.06, 1.12, 1.15, 1.25, 1.35, 1.45, 1.65, 1.75, 1.95, 2.2, 2.4, 2.6, 2.9]
  private static let capitals = [0, 1, 1, 1.05, 1.1, 1.15, 1.3, 1.6, 1.9, 2.2, 2.5, 2.8, 3.1, 3.4, 3.7, 4, 4.3]
  private static let capitalsOfPart = [0, 1, 1, 1.3, 1.5, 1.75, 2, 2.3, 2.6, 2.9, 3.2, 3.5, 3.8, 4.1, 4.4, 4.7, 5]
  /// A mark before a letter is often of one token with it.
  private static let joined = 0.5

  private static func cost(_ letters: Int, _ table: [Double]) -> Double {
    letters < table.count ? table[letters] : (table.last ?? 0) + Double(letters - table.count + 1) / 3.5
  }

  /// Tokens of one character of a script that is not Latin.
  private static func cost(_ scalar: Unicode.Scalar) -> Double {
    switch scalar.value {
    case 0x0370..<0x0400: 0.43  // Greek
    case 0x0400..<0x0530: 0.31  // Cyrillic
    case 0x0530..<0x0590: 0.4  // Armenian
    case 0x0590..<0x0600: 0.48  // Hebrew
    case 0x0600..<0x0780: 0.36  // Arabic
    case 0x0900..<0x0980: 0.38  // Devanagari
    case 0x0980..<0x0A00: 0.42  // Bengali
    case 0x0A00..<0x0E00: 0.45  // other scripts of India
    case 0x0E00..<0x0E80: 0.39  // Thai
    case 0x1000..<0x10A0: 0.6  // Myanmar
    case 0x10A0..<0x1100: 0.39  // Georgian
    case 0x1200..<0x1380: 2.1  // Ethiopic
    case 0x1780..<0x1800: 0.6  // Khmer
    case 0x2000..<0x2070: 0.9  // punctuation
    case 0x2400..<0x2E00: 1.5  // symbols
    case 0x3000..<0x3100: 0.66  // kana
    case 0x3100..<0xA000: 0.72  // CJK
    case 0xAC00..<0xD7B0: 0.67  // Hangul
    case 0xFE00..<0xFE10: 0.6  // variation selectors
    case 0x10000...: 1.6  // emoji
    default: 1.1
    }
  }

  private struct Counter {
    private enum Run { case none, capitals, lowercase, digits, blanks, lines, marks, other }

    var tokens = 0.0
    private var run = Run.none
    private var length = 0
    /// Of the run: what its letters cost beyond those of ASCII; whether it begins a word, or a mark is before it.
    private var extra = 0.0
    private var beginsWord = false
    private var followsMark = false
    /// Of marks: how often one differs from the one before it.
    private var changes = 0
    private var last: Unicode.Scalar = "\n"

    mutating func add(_ scalar: Unicode.Scalar) {
      let kind = Self.kind(of: scalar)
      switch (run, kind) {
      case (.capitals, .lowercase) where length == 1:
        run = .lowercase
      case (.capitals, .lowercase):
        // The last capital begins the next part: `HTTPServer`.
        length -= 1
        endRun()
        (run, length, extra, beginsWord, followsMark) = (.lowercase, 1, 0, false, false)
      case (let current, _) where current != kind:
        endRun()
        (run, length, extra, changes) = (kind, 0, 0, 0)
        beginsWord = last == " " || last == "\n"
        followsMark = Self.kind(of: last) == .marks
      default:
        if kind == .marks, scalar != last { changes += 1 }
      }
      length += 1
      switch kind {
      case .other: tokens += cost(scalar)
      case .capitals, .lowercase:
        if !scalar.isASCII { extra += scalar.value < 0x100 ? 0.35 : scalar.value < 0x250 ? 0.5 : 0.05 }
      default: break
      }
      last = scalar
    }

    mutating func endRun() {
      switch run {
      case .capitals:
        tokens += cost(length, length == 1 ? beginsWord ? word : part : beginsWord ? capitals : capitalsOfPart) + extra
        if followsMark { tokens -= 1 - joined }
      case .lowercase:
        tokens += cost(length, beginsWord ? word : part) + extra
        if followsMark { tokens -= 1 - joined }
      case .digits:
        tokens += Double((length + 2) / 3) + (beginsWord && !followsLine ? 1 : 0)
      case .blanks:
        // A single space belongs to the word after it.
        if length > 1 || last == "\t" { tokens += 1 }
      case .lines:
        if !followsMark { tokens += 1 }
      case .marks:
        tokens += 1 + Double(max(0, changes - 1)) / 2 + (changes == 0 ? Double(length / 16) : 0)
      case .other, .none: break
      }
      followsLine = run == .lines || run == .none
    }

    /// Whether the run begins a line.
    private var followsLine = true

    private static func kind(of scalar: Unicode.Scalar) -> Run {
      switch scalar {
      case "a"..."z": .lowercase
      case "A"..."Z": .capitals
      case "0"..."9": .digits
      case " ", "\t": .blanks
      case "\n", "\r": .lines
      case _ where scalar.isASCII: .marks
      case "\u{D7}", "\u{F7}": .other
      case "\u{C0}"..<"\u{250}", "\u{1E00}"..<"\u{1F00}": scalar.properties.isUppercase ? .capitals : .lowercase
      default: .other
      }
    }
  }
}
