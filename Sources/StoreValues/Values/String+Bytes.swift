import Foundation

// `String` compares by canonical equivalence: composed and decomposed letters are equal. Strings and names of JSON, and
// texts that may have changed, are compared by their UTF-8 bytes.

extension String {
  /// Unicode normalisation form C: SQLite compares bytes, and agrees with Swift on equality only in one form.
  package var canonicallyComposed: String {
    utf8.allSatisfy { $0 < 0x80 } ? self : precomposedStringWithCanonicalMapping
  }

  /// Unicode normalisation form D: the other form in which a text may be stored.
  package var canonicallyDecomposed: String {
    utf8.allSatisfy { $0 < 0x80 } ? self : decomposedStringWithCanonicalMapping
  }

  package func hasSameBytes(as other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
  }

  func bytesPrecede(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }

  /// At most `count` characters, on one line, for a message.
  package func shortened(to count: Int) -> String {
    let head = prefix(count)
    let line = String(head.map { $0.isNewline || $0 == "\t" ? " " : $0 })
    return head.endIndex == endIndex ? line : line + "…"
  }
}

extension Hasher {
  mutating func combine(bytesOf string: String) {
    var string = string
    string.withUTF8 { combine(bytes: UnsafeRawBufferPointer($0)) }
    // Not a byte of UTF-8: "a", "b" hashes differently from "ab".
    combine(0xFF as UInt8)
  }
}

/// A key that compares a string by its bytes.
struct ByteKey: Hashable {
  let string: String

  static func == (a: Self, b: Self) -> Bool { a.string.hasSameBytes(as: b.string) }
  func hash(into hasher: inout Hasher) { hasher.combine(bytesOf: string) }
}
