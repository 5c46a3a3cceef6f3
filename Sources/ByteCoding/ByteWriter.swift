/// Appends little-endian integers, and texts as a UInt32 count and UTF-8; `ByteReader` reads them.
@usableFromInline
package struct ByteWriter {
  @usableFromInline package var bytes: [UInt8] = []

  @inlinable
  package init(capacity: Int = 1024) { bytes.reserveCapacity(capacity) }

  @inlinable
  @inline(__always)
  package mutating func write<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  @inlinable
  @inline(__always)
  package mutating func write(_ byte: UInt8) { bytes.append(byte) }

  /// Seven bits a byte, lowest first; the last byte has its high bit clear.
  @inlinable
  @inline(__always)
  package mutating func writeVariable(_ value: UInt32) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  @inlinable package mutating func write(_ value: Double) { write(value.bitPattern) }
  @inlinable package mutating func write(_ value: Bool) { write(UInt8(value ? 1 : 0)) }

  package mutating func write(_ text: String) {
    write(UInt32(clamping: text.utf8.count))
    writeRaw(text)
  }

  /// The UTF-8 without a count.
  package mutating func writeRaw(_ text: String) {
    var text = text
    text.withUTF8 { bytes.append(contentsOf: $0) }
  }

  @inlinable package mutating func writeRaw(_ more: [UInt8]) { bytes.append(contentsOf: more) }

  /// A byte that says whether there is a value, then the value.
  @inlinable
  package mutating func write<Value>(_ value: Value?, with write: (inout ByteWriter, Value) -> Void) {
    self.write(value != nil)
    if let value { write(&self, value) }
  }

  /// The count, then the elements.
  @inlinable
  package mutating func write<Element>(_ elements: [Element], with write: (inout ByteWriter, Element) -> Void) {
    self.write(UInt32(clamping: elements.count))
    for element in elements { write(&self, element) }
  }
}
