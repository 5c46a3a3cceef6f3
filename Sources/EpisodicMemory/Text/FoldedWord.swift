import Foundation

/// The forms of words under which all their spellings are found: NFKC, folded case, without diacritics and points.
///
/// Each is one token of SQLite's tokenizer. What it would not keep within a word (vowel signs, letters whose case it does
/// not know) is written as a character of private use of plane 15, which it takes for a letter and neither folds nor stems.
enum FoldedWord {
  /// A part of a word: of a script with spaces, or a run of one without, of which `scalars` has the folded ones.
  enum Part {
    /// ASCII, in the case of the text, so that identifiers can be cut.
    case ascii([UInt8])
    case folded([UInt8])
    case run([Unicode.Scalar])
  }

  /// The parts of a word, a maximal run of scalars that are part of one or are ignored.
  static func parts(of word: String) -> [Part] {
    var kept = String.UnicodeScalarView()
    // Normalisation sorts a run of marks by insertion; no letter has more than 30 (UAX 15, stream-safe text).
    var marks = 0
    for scalar in word.unicodeScalars where !CharacterClasses.isIgnored(scalar.value) {
      marks = scalar.properties.canonicalCombiningClass == .notReordered ? 0 : marks + 1
      if marks <= 30 { kept.append(scalar) }
    }
    var parts: [Part] = []
    var run: [Unicode.Scalar] = []
    var spaced = String.UnicodeScalarView()
    func endRun() {
      if !run.isEmpty { parts.append(.run(run)) }
      run = []
    }
    func endWord() {
      if let part = part(String(spaced)) { parts.append(part) }
      spaced = String.UnicodeScalarView()
    }
    for scalar in String(kept).precomposedStringWithCompatibilityMapping.unicodeScalars
    where CharacterClasses.isPartOfWord(scalar) {
      if CharacterClasses.isUnspaced(scalar.value) {
        endWord()
        run.append(shiftedUnlessKept(scalar))
      } else if run.isEmpty || !CharacterClasses.isDiacritic(scalar.value) {
        endRun()
        spaced.append(scalar)
      }
    }
    endRun()
    endWord()
    return parts
  }

  private static func part(_ word: String) -> Part? {
    if word.utf8.allSatisfy({ $0 < 0x80 }) { return word.isEmpty ? nil : .ascii(Array(word.utf8)) }
    var bytes: [UInt8] = []
    // Again, because small letters have composed forms that capitals have not.
    for scalar in word.lowercased().precomposedStringWithCompatibilityMapping.unicodeScalars { fold(scalar, &bytes) }
    return bytes.isEmpty ? nil : .folded(bytes)
  }

  private static func fold(_ scalar: Unicode.Scalar, _ bytes: inout [UInt8]) {
    if scalar.isASCII { return bytes.append(UInt8(truncatingIfNeeded: scalar.value)) }
    if let letters = letters[scalar] { return bytes.append(contentsOf: letters.utf8) }
    if isLatin(scalar.value), let base = String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars.first,
      base != scalar
    {
      return fold(base, &bytes)
    }
    guard CharacterClasses.isPartOfWord(scalar), !CharacterClasses.isDiacritic(scalar.value) else { return }
    append(shiftedUnlessKept(scalar), to: &bytes)
  }

  static func append(_ scalar: Unicode.Scalar, to bytes: inout [UInt8]) {
    if let code = UTF8.encode(scalar) { bytes.append(contentsOf: code) }
  }

  private static func isLatin(_ value: UInt32) -> Bool {
    switch value {
    case 0xC0...0x24F, 0x1E00...0x1EFF, 0x2C60...0x2C7F, 0xA720...0xA7FF: true
    default: false
    }
  }

  /// What full case folding and plain keyboards make of letters that no decomposition takes apart.
  private static let letters: [Unicode.Scalar: String] = [
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ı": "i", "ł": "l", "đ": "d", "ς": "σ",
  ]

  /// Whether SQLite's tokenizer keeps a scalar above ASCII within a word as it is.
  static func isOneTokenWhenStored(_ scalar: Unicode.Scalar) -> Bool {
    CharacterClasses.isKept(scalar.value) || letters[scalar] != nil
  }

  private static func shiftedUnlessKept(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    CharacterClasses.isKept(scalar.value) ? scalar : shifted(scalar)
  }

  /// The scalar of plane 15 that stands for another, a different one for each that words need: those of the other planes
  /// take the places of ideographs, which are kept.
  static func shifted(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    let low = scalar.value & 0xFFFF
    return Unicode.Scalar(0xF0000 | (scalar.value < 0x10000 ? low : low ^ 0x8000)) ?? scalar
  }

  /// The bigrams of a run, in order; its only scalar if there is one.
  static func bigrams(_ run: [Unicode.Scalar], _ body: ([UInt8]) -> Void) {
    var token: [UInt8] = []
    guard run.count > 1 else {
      if let only = run.first { append(only, to: &token) }
      return body(token)
    }
    for (first, second) in zip(run, run.dropFirst()) {
      token.removeAll(keepingCapacity: true)
      append(first, to: &token)
      append(second, to: &token)
      body(token)
    }
  }
}
