/// Writes the binary form of cached values: little-endian integers, texts as length and UTF-8.
public struct ByteWriter {
  public private(set) var bytes: [UInt8]

  public init(capacity: Int = 1024) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  public mutating func write<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  public mutating func write(_ value: Double) { write(value.bitPattern) }
  public mutating func write(_ value: Bool) { write(UInt8(value ? 1 : 0)) }

  public mutating func write(_ text: String) {
    var text = text
    text.withUTF8 { utf8 in
      write(UInt32(clamping: utf8.count))
      bytes.append(contentsOf: utf8)
    }
  }

  /// Only its UTF-8, without the count.
  public mutating func writeRaw(_ text: String) {
    var text = text
    text.withUTF8 { utf8 in bytes.append(contentsOf: utf8) }
  }

  public mutating func writeRaw(_ more: [UInt8]) { bytes.append(contentsOf: more) }

  /// A byte that says whether there is a value, then the value.
  public mutating func write<Value>(_ value: Value?, with write: (inout ByteWriter, Value) -> Void) {
    self.write(value != nil)
    if let value { write(&self, value) }
  }

  /// The count, then the elements.
  public mutating func write<Element>(_ elements: [Element], with write: (inout ByteWriter, Element) -> Void) {
    self.write(UInt32(clamping: elements.count))
    for element in elements { write(&self, element) }
  }
}
