import ByteCoding
import StoreValues
package import GRDB
package import SQLiteStorage

extension String {
  /// The string of bytes that another program may have written: those that are not UTF-8 become U+FFFD.
  ///
  /// Different bytes must give different names, or one domain could be read as another (I8): a repaired name is followed by
  /// its bytes in hexadecimal.
  ///
  /// - Parameter isComposed: Repairs also names that are not in NFC, which Swift compares equal to their NFC form.
  package init(storedName bytes: UnsafeRawBufferPointer, isComposed: Bool = false) {
    let text = String(decoding: bytes, as: UTF8.self)
    let isFaithful = isComposed ? bytes.isCanonicalName : text.utf8.elementsEqual(bytes)
    self = isFaithful ? text : text + " (x'" + bytes.hexadecimal + "')"
  }
}

extension UnsafeRawBufferPointer {
  /// Whether the engine could have written these bytes as a name: UTF-8 in NFC, no NUL.
  ///
  /// Queries use NFC and SQLite compares bytes, so no query finds another form.
  package var isCanonicalName: Bool {
    if allSatisfy({ $0 < 0x80 && $0 != 0 }) { return true }
    let text = String(decoding: self, as: UTF8.self)
    return text.utf8.elementsEqual(self) && text.canonicallyComposed.utf8.elementsEqual(self) && !contains(0)
  }

  /// Why the engine could not have written these bytes as a text; `nil` if it could.
  package var textFault: String? {
    if contains(0) { return "has a NUL character" }
    return String(validating: self, as: UTF8.self) == nil ? "is not UTF-8" : nil
  }
}

/// Decodes a text column, reusing the string if a row repeats the value of the row before.
package struct RepeatedText {
  /// Whether different bytes also give strings that are unequal in Swift.
  private let isComposed: Bool
  private var bytes: [UInt8] = []
  private var last = ""

  package init(isComposed: Bool = false) { self.isComposed = isComposed }

  /// The string of these bytes; different bytes give different strings, whether or not they are UTF-8.
  package mutating func text(_ bytes: UnsafeRawBufferPointer) -> String {
    guard !bytes.elementsEqual(self.bytes) else { return last }
    self.bytes.replaceSubrange(self.bytes.indices, with: bytes)
    last = String(storedName: bytes, isComposed: isComposed)
    return last
  }
}

extension Row {
  /// The value of a column, by its index in the query.
  ///
  /// - Throws: If the column holds another type: STRICT is not checked on reading, so a damaged file can, and GRDB's
  ///   subscript would end the process.
  package func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ index: Int) throws -> Value {
    try decode(Value.self, atIndex: index)
  }
}

extension RawStatement {
  /// As of `Row`. For wide rows that are read often: GRDB makes a table of the names of a row's columns for each query.
  package func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ index: Int) throws -> Value {
    guard let value = value(ofColumn: Int32(index), as: Value.self) else {
      throw MemoryError(
        .corrupted, "column \(index) of a row is no \(Value.self); call check(), then restore a backup")
    }
    return value
  }
}
