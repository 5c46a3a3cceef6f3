/// Bytes read from a data file, loaded from at any offset; `nil` outside, since offsets come from the file.
struct PageBytes {
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func load<Integer: FixedWidthInteger>(_ type: Integer.Type, at offset: Int) -> Integer? {
    bytes.withUnsafeBytes { $0.load(type, insideAt: offset) }
  }
}

extension UnsafeRawBufferPointer {
  /// An integer at any offset and alignment; `nil` unless all its bytes are inside.
  @inline(__always)
  func load<Integer: FixedWidthInteger>(_ type: Integer.Type, insideAt offset: Int) -> Integer? {
    guard offset >= 0, offset <= count &- MemoryLayout<Integer>.size else { return nil }
    return loadUnaligned(fromByteOffset: offset, as: type)
  }

  /// The bytes of a part; `nil` unless all of it is inside.
  @inline(__always)
  func part(at offset: Int, count length: Int) -> UnsafeRawBufferPointer? {
    guard offset >= 0, length >= 0, offset <= count, length <= count &- offset else { return nil }
    return UnsafeRawBufferPointer(rebasing: self[offset..<(offset &+ length)])
  }
}
