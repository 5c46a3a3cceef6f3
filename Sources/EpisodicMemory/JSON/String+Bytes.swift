// `String` compares as Unicode does, where composed and decomposed letters are equal. Names and strings of JSON, and texts
// of which it matters whether they changed, are compared by their UTF-8 bytes.

extension String {
  package func hasSameBytes(as other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
  }

  func bytesPrecede(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}

extension Hasher {
  mutating func combine(bytesOf string: String) {
    var string = string
    string.withUTF8 { combine(bytes: UnsafeRawBufferPointer($0)) }
    // No byte of UTF-8, so that two strings in a row differ from one.
    combine(0xFF as UInt8)
  }
}

/// A string in a set or a dictionary that keeps every spelling apart.
struct ByteKey: Hashable {
  let string: String

  static func == (a: Self, b: Self) -> Bool { a.string.hasSameBytes(as: b.string) }
  func hash(into hasher: inout Hasher) { hasher.combine(bytesOf: string) }
}
