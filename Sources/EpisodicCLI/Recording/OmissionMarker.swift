/// Stands in an output for what was left out of it, on a line of its own.
///
/// It has no letters and no digits, which the full-text index would take for words of the output and find: its numbers
/// are Braille, which Unicode counts as symbols. `⋯⠼⠁⠃⠼⠉⠙⋯` is 12 lines, 34 bytes.
struct OmissionMarker: Equatable {
  let lines: Int
  let bytes: Int

  private static let ellipsis: Character = "⋯"
  private static let number: Character = "⠼"
  private static let digits = Array("⠚⠁⠃⠉⠙⠑⠋⠛⠓⠊")

  var text: String {
    let numbers = [lines, bytes].map {
      "\(Self.number)" + "\($0)".compactMap(\.wholeNumberValue).map { "\(Self.digits[$0])" }.joined()
    }
    return "\(Self.ellipsis)\(numbers.joined())\(Self.ellipsis)"
  }

  init(lines: Int, bytes: Int) {
    self.lines = lines
    self.bytes = bytes
  }

  /// Reads a marker; `nil` for any other text.
  init?(_ text: some StringProtocol) {
    guard text.count >= 6, text.first == Self.ellipsis, text.last == Self.ellipsis else { return nil }
    let numbers = text.dropFirst().dropLast().split(separator: Self.number).map { digits in
      digits.reduce(Int?.some(0)) { value, digit in
        guard let value, let index = Self.digits.firstIndex(of: digit) else { return nil }
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        return overflow ? nil : product + index
      }
    }
    guard numbers.count == 2, let lines = numbers[0], let bytes = numbers[1] else { return nil }
    self.init(lines: lines, bytes: bytes)
  }

  /// For people: `[17271 lines, 99345 bytes left out]`.
  var description: String { "[\(counted(lines, "line")), \(counted(bytes, "byte")) left out]" }

  /// A text with its markers in words, for people.
  static func described(in text: String) -> String {
    guard text.contains(ellipsis) else { return text }
    return text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { OmissionMarker($0)?.description ?? String($0) }.joined(separator: "\n")
  }
}
