/// Bytes that are not the binary form they should be: a reader treats them as a miss.
public struct MalformedBytes: Error {
  public init() {}
}

/// Reads what `ByteWriter` wrote, in place; every step is checked, so that no bytes whatever can make it trap.
///
/// Small steps are inlined: they are most of what decoding does besides making strings. The bytes are borrowed: a reader
/// must not outlive the closure that lent them.
public struct ByteReader {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  public var isAtEnd: Bool { position == bytes.count }

  /// What `read` makes of all the bytes.
  public static func read<Value>(
    _ encoded: EncodedValue, _ read: (inout ByteReader) throws(MalformedBytes) -> Value
  ) throws(MalformedBytes) -> Value {
    try encoded.withBytes { raw throws(MalformedBytes) in
      var reader = ByteReader(raw)
      let value = try read(&reader)
      guard reader.isAtEnd else { throw MalformedBytes() }
      return value
    }
  }

  @inline(__always)
  public mutating func integer<Value: FixedWidthInteger>(
    _ type: Value.Type = Value.self
  ) throws(MalformedBytes) -> Value {
    let start = try advance(by: MemoryLayout<Value>.size)
    return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: Value.self))
  }

  @inline(__always)
  public mutating func double() throws(MalformedBytes) -> Double { Double(bitPattern: try integer()) }

  @inline(__always)
  public mutating func bool() throws(MalformedBytes) -> Bool {
    switch try integer(UInt8.self) {
    case 0: false
    case 1: true
    default: throw MalformedBytes()
    }
  }

  public mutating func text() throws(MalformedBytes) -> String {
    let count = Int(try integer(UInt32.self))
    let start = try advance(by: count)
    return String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]), as: UTF8.self)
  }

  @inline(__always)
  public mutating func optional<Value>(
    _ read: (inout ByteReader) throws(MalformedBytes) -> Value
  ) throws(MalformedBytes) -> Value? {
    try bool() ? try read(&self) : nil
  }

  @inline(__always)
  public mutating func array<Element>(
    _ read: (inout ByteReader) throws(MalformedBytes) -> Element
  ) throws(MalformedBytes) -> [Element] {
    let count = Int(try integer(UInt32.self))
    // An element takes a byte or more: a count beyond what is left is no count.
    guard count <= bytes.count - position else { throw MalformedBytes() }
    var elements: [Element] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try read(&self)) }
    return elements
  }

  @inline(__always)
  private mutating func advance(by count: Int) throws(MalformedBytes) -> Int {
    guard count <= bytes.count - position else { throw MalformedBytes() }
    defer { position += count }
    return position
  }
}
