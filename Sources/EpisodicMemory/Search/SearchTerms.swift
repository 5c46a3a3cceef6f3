/// What a query's words come down to: the terms that are looked up.
public struct SearchTerms: Hashable, Sendable {
  /// More terms than these cost time and say nothing more.
  public static let maximumCount = 64

  /// Any may match. Distinct, lower case, without stop words unless there is nothing else.
  public let words: [String]
  /// All must match, as sequences of words.
  public let phrases: [[String]]
  /// All must match, each as the beginning of a word.
  public let prefixes: [String]

  /// - Throws: `.invalid` where a phrase or a prefix has no word.
  init(text: String?, phrases: [String], prefixes: [String]) throws(MemoryError) {
    let spoken = Self.split(text ?? "")
    let telling = spoken.filter { !StopWords.english.contains($0) }
    var seen: Set<String> = []
    words = (telling.isEmpty ? spoken : telling).filter { seen.insert($0).inserted }.prefix(Self.maximumCount).map(
      \.self)
    var sequences: [[String]] = []
    for phrase in phrases {
      let sequence = Self.split(phrase)
      guard !sequence.isEmpty else { throw MemoryError(.invalid, "the phrase \"\(phrase)\" has no word; leave it out") }
      guard sequence.count <= Self.maximumCount else {
        throw MemoryError(.invalid, "a phrase has \(sequence.count) words; use at most \(Self.maximumCount)")
      }
      sequences.append(sequence)
    }
    var beginnings: [String] = []
    for prefix in prefixes {
      let parts = Self.split(prefix)
      guard parts.count == 1 else {
        throw MemoryError(.invalid, "the prefix \"\(prefix)\" is not the beginning of one word; use a phrase")
      }
      beginnings += parts
    }
    self.phrases = sequences
    self.prefixes = beginnings
    guard sequences.count + beginnings.count <= Self.maximumCount else {
      throw MemoryError(
        .invalid, "\(sequences.count + beginnings.count) phrases and prefixes; use at most \(Self.maximumCount)")
    }
  }

  /// The spellings under which a text may be in the index: composed and decomposed ones are different bytes.
  public static func spellings(of text: String) -> [String] {
    let decomposed = text.canonicallyDecomposed
    return decomposed.utf8.elementsEqual(text.utf8) ? [text] : [text, decomposed]
  }

  public var isEmpty: Bool { words.isEmpty && phrases.isEmpty && prefixes.isEmpty }

  /// The words of a text as the full-text index cuts them: runs of letters, digits and marks, in lower case.
  private static func split(_ text: String) -> [String] {
    text.canonicallyComposed.unicodeScalars.split { !isPartOfWord($0) }.map { String($0).lowercased() }
  }

  private static func isPartOfWord(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII {
      return switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9": true
      default: false
      }
    }
    return switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
      .letterNumber, .otherNumber, .nonspacingMark, .spacingMark, .enclosingMark, .privateUse:
      true
    default: false
    }
  }
}
