import ByteCoding
import TestSupport
import Testing

@Suite struct `Bytes written and read` {
  @Test func `come back as they were`() throws {
    var writer = ByteWriter()
    writer.write(UInt8(200))
    writer.write(Int64.min)
    writer.write(-0.5)
    writer.write(true)
    writer.write("Zoë")
    writer.write(nil as Int32?) { $0.write($1) }
    writer.write(7 as Int32?) { $0.write($1) }
    writer.write([1, 2, 3] as [UInt16]) { $0.write($1) }
    try ByteReader.decode(writer.bytes.span.bytes) { reader throws(MalformedBytes) in
      #expect(try reader.integer(UInt8.self) == 200)
      #expect(try reader.integer(Int64.self) == .min)
      #expect(try reader.double() == -0.5)
      #expect(try reader.bool())
      #expect(try reader.text() == "Zoë")
      #expect(try reader.optional { reader throws(MalformedBytes) in try reader.integer(Int32.self) } == nil)
      #expect(try reader.optional { reader throws(MalformedBytes) in try reader.integer(Int32.self) } == 7)
      #expect(try reader.array { reader throws(MalformedBytes) in try reader.integer(UInt16.self) } == [1, 2, 3])
    }
  }

  @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455, 268_435_456, .max] as [UInt32])
  func `an integer of variable length takes a byte for each seven bits`(_ number: UInt32) throws {
    var writer = ByteWriter()
    writer.writeVariable(number)
    #expect(writer.bytes.count == max(1, (32 - number.leadingZeroBitCount + 6) / 7))
    let read = try ByteReader.decode(writer.bytes.span.bytes) { reader throws(MalformedBytes) in try reader.variable() }
    #expect(read == number)
  }

  @Test(arguments: [[0x80], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0x80, 0x80, 0x80, 0x80, 0x80, 0x01]] as [[UInt8]])
  func `an integer of variable length without an end is refused`(_ bytes: [UInt8]) {
    #expect(throws: MalformedBytes.self) {
      try ByteReader.decode(bytes.span.bytes) { reader throws(MalformedBytes) in try reader.variable() }
    }
  }

  @Test(arguments: 0..<50) func `no input makes a reader trap`(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    var reader = ByteReader(bytes.span.bytes)
    for _ in 0..<40 {
      switch Int.random(in: 0..<6, using: &random) {
      case 0: _ = try? reader.integer(UInt32.self)
      case 1: _ = try? reader.variable()
      case 2: _ = try? reader.text()
      case 3: _ = try? reader.advance(by: .random(in: -8...80, using: &random))
      case 4: _ = try? reader.array { reader throws(MalformedBytes) in try reader.double() }
      default: _ = try? reader.optional { reader throws(MalformedBytes) in try reader.bool() }
      }
      #expect(0...bytes.count ~= reader.remaining)
    }
  }
}
