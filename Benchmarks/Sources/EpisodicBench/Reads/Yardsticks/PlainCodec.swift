/// The fully decoding codec: little-endian integers, texts as length and UTF-8, in the order of the fields.
extension PlainEpisode {
  var encoded: [UInt8] {
    var bytes = PlainWriter()
    for text in [id, taskType, domain] { bytes.write(text) }
    bytes.write(session) { $0.write($1) }
    for text in [context, status] { bytes.write(text) }
    bytes.write(successRate) { $0.write($1.bitPattern) }
    bytes.write(createdAt)
    bytes.write(completedAt) { $0.write($1) }
    bytes.write(metadata)
    bytes.write(embeddingVersion)
    bytes.write(UInt32(steps.count))
    for step in steps {
      bytes.write(step.id)
      bytes.write(step.number)
      bytes.write(step.action)
      bytes.write(step.result) { $0.write($1) }
      bytes.write(step.tool) { $0.write($1) }
      bytes.write(step.duration) { $0.write($1) }
      bytes.write(step.success) { $0.write(UInt8($1 ? 1 : 0)) }
      bytes.write(step.timestamp)
    }
    return bytes.bytes
  }

  /// Makes every value there is.
  init(decoding bytes: UnsafeRawBufferPointer) throws {
    var reader = PlainReader(bytes)
    self.init(
      id: try reader.text(), taskType: try reader.text(), domain: try reader.text(),
      session: try reader.optional { try $0.text() }, context: try reader.text(), status: try reader.text(),
      successRate: try reader.optional { Double(bitPattern: try $0.integer()) }, createdAt: try reader.integer(),
      completedAt: try reader.optional { try $0.integer() }, metadata: try reader.text(),
      embeddingVersion: try reader.integer(), steps: [])
    let count = Int(try reader.integer(UInt32.self))
    steps.reserveCapacity(min(count, bytes.count))
    for _ in 0..<count {
      steps.append(
        Step(
          id: try reader.text(), number: try reader.integer(), action: try reader.text(),
          result: try reader.optional { try $0.text() }, tool: try reader.optional { try $0.text() },
          duration: try reader.optional { try $0.integer() },
          success: try reader.optional { try $0.integer(UInt8.self) != 0 }, timestamp: try reader.integer()))
    }
  }
}

private struct PlainWriter {
  private(set) var bytes: [UInt8] = []

  mutating func write(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func write(_ text: String) {
    write(UInt32(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  mutating func write<Value>(_ value: Value?, with write: (inout PlainWriter, Value) -> Void) {
    self.write(UInt8(value == nil ? 0 : 1))
    if let value { write(&self, value) }
  }
}

private struct PlainReader {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  @inline(__always)
  mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws -> Value {
    let start = try advance(by: MemoryLayout<Value>.size)
    return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: Value.self))
  }

  @inline(__always)
  mutating func text() throws -> String {
    let count = Int(try integer(UInt32.self))
    let start = try advance(by: count)
    return String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]), as: UTF8.self)
  }

  @inline(__always)
  mutating func optional<Value>(_ read: (inout PlainReader) throws -> Value) throws -> Value? {
    try integer(UInt8.self) == 0 ? nil : try read(&self)
  }

  @inline(__always)
  private mutating func advance(by count: Int) throws -> Int {
    guard count <= bytes.count - position else { throw BenchError("an entry of the yardstick is cut off") }
    defer { position += count }
    return position
  }
}
