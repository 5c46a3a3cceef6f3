import Testing

@testable import MemoryLMDB

@Suite struct `The hash XXH64` {
  /// The buffer of the reference implementation's self-test.
  private static let buffer: [UInt8] = {
    var generator: UInt64 = 2_654_435_761
    return (0..<222).map { _ in
      defer { generator &*= 11_400_714_785_074_694_797 }
      return UInt8(truncatingIfNeeded: generator >> 56)
    }
  }()

  struct Vector: Sendable {
    let count: Int
    let unseeded: UInt64
    let seeded: UInt64
  }

  @Test(arguments: [
    Vector(count: 0, unseeded: 0xEF46_DB37_51D8_E999, seeded: 0xAC75_FDA2_929B_17EF),
    Vector(count: 1, unseeded: 0xE934_A84A_DB05_2768, seeded: 0x5014_6076_43A9_B4C3),
    Vector(count: 4, unseeded: 0x9136_A0DC_A574_57EE, seeded: 0xCAAB_286B_D8E9_FDB5),
    Vector(count: 14, unseeded: 0x8282_DCC4_994E_35C8, seeded: 0xC3BD_6BF6_3DEB_6DF0),
    Vector(count: 222, unseeded: 0xB641_AE8C_B691_C174, seeded: 0x20CB_8AB7_AE10_C14A),
  ])
  func `gives what the reference implementation gives`(_ vector: Vector) {
    Self.buffer[..<vector.count].withUnsafeBytes { bytes in
      #expect(XXH64.hash(bytes, seed: 0) == vector.unseeded)
      #expect(XXH64.hash(bytes, seed: 2_654_435_761) == vector.seeded)
    }
  }

  @Test(arguments: [
    ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999), ("xxhash", 0x32DD_3895_2C4B_C720),
    ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1 as UInt64),
  ])
  func `of a text is that of its UTF-8`(_ text: String, _ hash: UInt64) {
    #expect(XXH64.hash(text, seed: 0) == hash)
  }

  @Test(arguments: [0, 1, .max, 0x0123_4567_89AB_CDEF] as [UInt64])
  func `of a number is that of its bytes`(_ number: UInt64) {
    let hash = withUnsafeBytes(of: number.littleEndian) { XXH64.hash($0, seed: 5) }
    #expect(XXH64.hash(number, seed: 5) == hash)
  }
}
