/// Bytes that do not have the layout they should have.
@usableFromInline
package struct MalformedBytes: Error {
  @inlinable package init() {}
}

/// Reads in place what `ByteWriter` wrote: little-endian integers, texts, options and arrays.
///
/// Every read is checked against the end, so no input makes it trap. It cannot outlive the bytes that it reads.
@usableFromInline
package struct ByteReader: ~Escapable {
  @usableFromInline let bytes: RawSpan
  /// Offset of the next byte.
  @usableFromInline var position = 0

  @inlinable
  @_lifetime(copy bytes)
  package init(_ bytes: RawSpan) { self.bytes = bytes }

  /// Decodes `bytes` with `read`, which must consume all of them.
  @inlinable
  package static func decode<Value>(
    _ bytes: RawSpan, _ read: (inout ByteReader) throws(MalformedBytes) -> Value
  ) throws(MalformedBytes) -> Value {
    var reader = ByteReader(bytes)
    let value = try read(&reader)
    guard reader.isAtEnd else { throw MalformedBytes() }
    return value
  }

  @inlinable package var isAtEnd: Bool { position == bytes.byteCount }

  /// Bytes not read yet.
  @inlinable package var remaining: Int { bytes.byteCount - position }

  @inlinable
  @inline(__always)
  package mutating func integer<Value: FixedWidthInteger>(
    _ type: Value.Type = Value.self
  ) throws(MalformedBytes) -> Value {
    let start = try advance(by: MemoryLayout<Value>.size)
    return bytes.withUnsafeBytes { $0.integer(at: start) }
  }

  /// An integer of 1 to 5 bytes; see `ByteWriter.writeVariable`.
  @inlinable
  @inline(__always)
  package mutating func variable() throws(MalformedBytes) -> UInt32 {
    let first: UInt8 = try integer()
    if first < 0x80 { return UInt32(first) }
    return try variable(continuing: first)
  }

  @inlinable
  mutating func variable(continuing first: UInt8) throws(MalformedBytes) -> UInt32 {
    var value = UInt32(first & 0x7F)
    var shift: UInt32 = 7
    while shift < 35 {
      let byte: UInt8 = try integer()
      value |= UInt32(byte & 0x7F) &<< shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw MalformedBytes()
  }

  @inlinable
  @inline(__always)
  package mutating func double() throws(MalformedBytes) -> Double { Double(bitPattern: try integer()) }

  @inlinable
  @inline(__always)
  package mutating func bool() throws(MalformedBytes) -> Bool {
    switch try integer(UInt8.self) {
    case 0: false
    case 1: true
    default: throw MalformedBytes()
    }
  }

  @usableFromInline
  package mutating func text() throws(MalformedBytes) -> String {
    let count = Int(try integer(UInt32.self))
    let start = try advance(by: count)
    return bytes.withUnsafeBytes { $0.text(at: start, count) }
  }

  @inlinable
  @inline(__always)
  package mutating func optional<Value>(
    _ read: (inout ByteReader) throws(MalformedBytes) -> Value
  ) throws(MalformedBytes) -> Value? {
    try bool() ? try read(&self) : nil
  }

  @inlinable
  @inline(__always)
  package mutating func array<Element>(
    _ read: (inout ByteReader) throws(MalformedBytes) -> Element
  ) throws(MalformedBytes) -> [Element] {
    let count = Int(try integer(UInt32.self))
    // An element takes at least one byte: a larger count is damage, and must not reserve memory.
    guard count <= remaining else { throw MalformedBytes() }
    var elements: [Element] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try read(&self)) }
    return elements
  }

  /// Skips `count` bytes and returns the offset of the first of them.
  @inlinable
  @inline(__always)
  @discardableResult
  package mutating func advance(by count: Int) throws(MalformedBytes) -> Int {
    guard count >= 0, count <= remaining else { throw MalformedBytes() }
    defer { position += count }
    return position
  }
}
