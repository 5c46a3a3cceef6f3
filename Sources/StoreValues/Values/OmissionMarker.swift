/// A line in a text that was cut, which counts the omitted lines and bytes.
///
/// It has no letters or digits, which the full-text index would index as words of the output: its numbers are in Braille,
/// which Unicode classifies as symbols. `⋯⠼⠁⠃⠼⠉⠙⋯` is 12 lines, 34 bytes.
package struct OmissionMarker: Equatable {
  package let lines: Int
  package let bytes: Int

  package static let ellipsis: Character = "⋯"
  private static let number: Character = "⠼"
  private static let digits = Array("⠚⠁⠃⠉⠙⠑⠋⠛⠓⠊")

  package var text: String {
    let numbers = [lines, bytes].map {
      "\(Self.number)" + "\($0)".compactMap(\.wholeNumberValue).map { "\(Self.digits[$0])" }.joined()
    }
    return "\(Self.ellipsis)\(numbers.joined())\(Self.ellipsis)"
  }

  package init(lines: Int, bytes: Int) {
    self.lines = lines
    self.bytes = bytes
  }

  /// Parses a marker; `nil` for any other text.
  package init?(_ text: some StringProtocol) {
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
}
