/// Finds a text in what is stored, however Unicode writes it.
package struct TextMatcher: Sendable {
  /// In UTF-8: composed, decomposed, as a JSON string of each; without repetitions.
  private let forms: [[UInt8]]
  private let composed: [UInt8]
  private let ignoresCase: Bool
  private let isASCII: Bool

  /// - Parameter text: Not empty.
  package init(_ text: String, ignoringCase: Bool) {
    let text = ignoringCase ? text.canonicallyComposed.lowercased() : text
    ignoresCase = ignoringCase
    composed = Array(text.canonicallyComposed.utf8)
    isASCII = composed.allSatisfy { $0 < 0x80 }
    var forms: [[UInt8]] = []
    for form in [text.canonicallyComposed, text.canonicallyDecomposed] {
      let json = JSON.string(form).canonicalText.utf8.dropFirst().dropLast()
      for bytes in [Array(form.utf8), Array(json)] where !forms.contains(bytes) { forms.append(bytes) }
    }
    self.forms = forms
  }

  /// Whether a stored text has it.
  package func isFound(in bytes: UnsafeRawBufferPointer) -> Bool {
    if !ignoresCase, forms.contains(where: { Self.isFound($0, in: bytes) }) { return true }
    guard ignoresCase || !isASCII && bytes.contains(where: { $0 >= 0x80 }) else { return false }
    // In a mixture of forms, or in other letters.
    return isFound(in: String(decoding: bytes, as: UTF8.self))
  }

  /// Whether the text of a JSON value has it, in a name or a value, or as it is written.
  package func isFound(inJSON bytes: UnsafeRawBufferPointer, _ parse: (String) -> JSON) -> Bool {
    if isFound(in: bytes) { return true }
    guard bytes.contains(UInt8(ascii: "\\")) else { return false }
    return parse(String(decoding: bytes, as: UTF8.self)).strings.contains { isFound(in: $0) }
  }

  package func isFound(in text: String) -> Bool {
    let composed = text.canonicallyComposed
    let bytes = Array((ignoresCase ? composed.lowercased() : composed).utf8)
    return bytes.withUnsafeBytes { Self.isFound(self.composed, in: $0) }
  }

  /// - Complexity: O(*n* · *m*) at worst; near O(*n*) in text.
  private static func isFound(_ wanted: [UInt8], in bytes: UnsafeRawBufferPointer) -> Bool {
    guard let first = wanted.first, bytes.count >= wanted.count else { return false }
    let last = bytes.count - wanted.count
    return wanted.withUnsafeBytes { wanted in
      var start = 0
      while start <= last {
        guard let next = bytes[start...last].firstIndex(of: first) else { return false }
        if UnsafeRawBufferPointer(rebasing: bytes[next..<(next + wanted.count)]).elementsEqual(wanted) { return true }
        start = next + 1
      }
      return false
    }
  }
}
