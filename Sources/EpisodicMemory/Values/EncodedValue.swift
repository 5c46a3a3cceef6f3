package import ByteCoding

/// A value with a binary form.
package protocol Cacheable: Sendable {
  func encode(to bytes: inout ByteWriter)
  init(from encoded: EncodedValue) throws(MalformedBytes)
}

/// An encoded value: the tail of a byte array that a cache hit returns whole, so that the bytes are copied once.
package struct EncodedValue: Sendable {
  private let bytes: [UInt8]
  private let start: Int

  /// - Parameter start: Offset of the value; 0...count.
  package init(_ bytes: [UInt8], from start: Int = 0) {
    self.bytes = bytes
    self.start = min(max(start, 0), bytes.count)
  }

  @inline(__always)
  package func withBytes<Result, Failure>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try bytes.span.bytes.withUnsafeBytes { raw throws(Failure) in
      try body(UnsafeRawBufferPointer(rebasing: raw[start...]))
    }
  }

  /// Decodes the value with `read`, which must consume all of it.
  func decode<Value>(
    _ read: (inout ByteReader) throws(MalformedBytes) -> Value
  ) throws(MalformedBytes) -> Value {
    try ByteReader.decode(bytes.span.bytes.extracting(start...), read)
  }

  func isIdentical(to other: EncodedValue) -> Bool { bytes[start...] == other.bytes[other.start...] }
}
