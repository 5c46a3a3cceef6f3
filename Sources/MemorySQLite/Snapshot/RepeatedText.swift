/// Makes strings of the bytes of a column, and the same string again where a row repeats the one before.
struct RepeatedText {
  /// Whether different bytes give strings that Swift calls different, too.
  private let isComposed: Bool
  private var bytes: [UInt8] = []
  private var last = ""

  init(isComposed: Bool = false) { self.isComposed = isComposed }

  /// The string of these bytes; different bytes give different strings, whether or not they are UTF-8.
  mutating func text(_ bytes: UnsafeRawBufferPointer) -> String {
    guard !bytes.elementsEqual(self.bytes) else { return last }
    self.bytes.replaceSubrange(self.bytes.indices, with: bytes)
    last = String(storedName: bytes, isComposed: isComposed)
    return last
  }
}
