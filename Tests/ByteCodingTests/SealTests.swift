import ByteCoding
import Testing

@Suite struct `A seal` {
  static let content: [UInt8] = Array(1...20)

  /// The content of a value, or `nil` if the seal refuses it.
  static func open(_ value: [UInt8], _ seal: Seal, verified: VerifiedValues? = nil) -> [UInt8]? {
    do throws(MalformedBytes) {
      return try seal.open(value.span.bytes, verified: verified).withUnsafeBytes { Array($0) }
    } catch {
      return nil
    }
  }

  @Test func `gives back what it sealed`() {
    let seal = Seal(key: 7, generation: 1)
    let value = seal.sealed(Self.content)
    #expect(value.count == Self.content.count + Seal.byteCount)
    #expect(Self.open(value, seal) == Self.content)
    #expect(Self.open(seal.sealed([]), seal) == [])
  }

  @Test func `refuses every changed byte, every cut, another key and another generation`() {
    let seal = Seal(key: 7, generation: 1)
    let value = seal.sealed(Self.content)
    for index in value.indices {
      var changed = value
      changed[index] ^= 0x10
      #expect(Self.open(changed, seal) == nil)
      #expect(Self.open(Array(value[..<index]), seal) == nil)
    }
    #expect(Self.open(value, Seal(key: 8, generation: 1)) == nil)
    #expect(Self.open(value, Seal(key: 7, generation: 2)) == nil)
    #expect(Self.open(value, Seal(key: Array("7".utf8).span.bytes, generation: 1)) == nil)
  }

  @Test func `verifies a value once, and again after its seal changed`() {
    let seal = Seal(key: 7, generation: 1)
    let verified = VerifiedValues(capacity: 16)
    var value = seal.sealed(Self.content)
    #expect(Self.open(value, seal, verified: verified) == Self.content)
    #expect(verified.contains(Seal.checksum(of: value.span.bytes)))
    // Damage after the first verification goes unseen: that is what it saves.
    value[0] = 0xFF
    #expect(Self.open(value, seal, verified: verified)?.first == 0xFF)
    value[value.count - 1] ^= 1
    #expect(Self.open(value, seal, verified: verified) == nil)
  }

  @Test func `reads of a record nothing but all of it`() throws {
    let seal = Seal(key: 7, generation: 1)
    let value = seal.sealed([1, 0, 0, 0])
    let number = try seal.decode(value.span.bytes) { reader throws(MalformedBytes) in try reader.integer(UInt32.self) }
    #expect(number == 1)
    #expect(throws: MalformedBytes.self) {
      try seal.decode(value.span.bytes) { reader throws(MalformedBytes) in try reader.integer(UInt16.self) }
    }
  }
}
