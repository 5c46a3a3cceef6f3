// Little-endian integers and texts at an offset, without a bounds check in release builds: the caller has compared the
// length of the memory with the layout once.

extension UnsafeRawPointer {
  @inlinable
  @inline(__always)
  package func integer<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type = Value.self) -> Value {
    Value(littleEndian: loadUnaligned(fromByteOffset: offset, as: Value.self))
  }
}

extension UnsafeRawBufferPointer {
  @inlinable
  @inline(__always)
  package func integer<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type = Value.self) -> Value {
    Value(littleEndian: loadUnaligned(fromByteOffset: offset, as: Value.self))
  }

  /// Invalid UTF-8 becomes U+FFFD.
  @inlinable
  @inline(__always)
  package func text(at offset: Int, _ count: Int) -> String {
    String(decoding: UnsafeRawBufferPointer(rebasing: self[offset..<offset + count]), as: UTF8.self)
  }
}

extension UnsafeMutableRawBufferPointer {
  @inlinable
  @inline(__always)
  package func store<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
    storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
  }
}
