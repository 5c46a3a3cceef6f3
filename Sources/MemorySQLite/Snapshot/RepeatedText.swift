/// Makes strings of the bytes of a column, and the same string again where a row repeats the one before.
struct RepeatedText {
  private var bytes: [UInt8] = []
  private var last = ""

  /// The string of these bytes, which are UTF-8; what is not is repaired.
  mutating func text(_ bytes: UnsafeRawBufferPointer) -> String {
    guard !bytes.elementsEqual(self.bytes) else { return last }
    self.bytes.replaceSubrange(self.bytes.indices, with: bytes)
    last = String(decoding: bytes, as: UTF8.self)
    return last
  }
}
