/// SHA-256 (FIPS 180-4), at once or piece by piece.
///
/// It names what is stored: the data of a pattern, a query in the cache, the text of a migration. No secret depends on it, so
/// one plain implementation is enough.
///
/// Cost: 0.25 us for each 64 bytes; allocates only the digest.
package struct SHA256: Sendable {
  private var state = SIMD8<UInt32>(
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19)
  /// The bytes that do not fill a block yet; how many they are follows from `byteCount`.
  private var block = SIMD64<UInt8>()
  private var byteCount: UInt64 = 0

  package init() {}

  /// The 32 bytes of the digest of `bytes`.
  package static func digest(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var hash = SHA256()
    hash.update(bytes)
    return hash.finalized()
  }

  package static func digest(of bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { digest(of: $0) } }

  /// The 32 bytes of the digest of a text's UTF-8.
  package static func digest(of text: String) -> [UInt8] {
    var text = text
    return text.withUTF8 { digest(of: UnsafeRawBufferPointer($0)) }
  }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    var bytes = bytes[...]
    let held = Int(truncatingIfNeeded: byteCount % 64)
    byteCount &+= UInt64(bytes.count)
    if held > 0 {
      let more = bytes.prefix(64 - held)
      withUnsafeMutableBytes(of: &block) {
        UnsafeMutableRawBufferPointer(rebasing: $0[held...]).copyMemory(from: UnsafeRawBufferPointer(rebasing: more))
      }
      bytes = bytes.dropFirst(more.count)
      guard held + more.count == 64 else { return }
      withUnsafeBytes(of: block) { Self.compress($0, into: &state) }
    }
    let whole = UnsafeRawBufferPointer(rebasing: bytes.prefix(bytes.count & ~63))
    Self.compress(whole, into: &state)
    let rest = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(whole.count))
    withUnsafeMutableBytes(of: &block) { $0.copyMemory(from: rest) }
  }

  /// The 32 bytes of the digest of all that `update` was given.
  package consuming func finalized() -> [UInt8] {
    let held = Int(truncatingIfNeeded: byteCount % 64)
    // A one bit, zeros, and the count of bits as the last eight bytes of a block.
    pad(from: held, first: 0x80)
    if held >= 56 {
      withUnsafeBytes(of: block) { Self.compress($0, into: &state) }
      pad(from: 0, first: 0)
    }
    let bits = byteCount &* 8
    withUnsafeMutableBytes(of: &block) { $0.storeBytes(of: bits.bigEndian, toByteOffset: 56, as: UInt64.self) }
    withUnsafeBytes(of: block) { Self.compress($0, into: &state) }
    return [UInt8](unsafeUninitializedCapacity: 32) { bytes, count in
      for index in 0..<8 {
        UnsafeMutableRawBufferPointer(bytes).storeBytes(
          of: state[index].bigEndian, toByteOffset: index * 4, as: UInt32.self)
      }
      count = 32
    }
  }

  private mutating func pad(from start: Int, first: UInt8) {
    withUnsafeMutableBytes(of: &block) { bytes in
      UnsafeMutableRawBufferPointer(rebasing: bytes[start...]).initializeMemory(as: UInt8.self, repeating: 0)
      bytes[start] = first
    }
  }

  /// - Parameter blocks: A multiple of 64 bytes.
  private static func compress(_ blocks: UnsafeRawBufferPointer, into state: inout SIMD8<UInt32>) {
    constants.withUnsafeBufferPointer { constants in
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { words in
        guard let words = words.baseAddress, let constants = constants.baseAddress, let first = blocks.baseAddress
        else { return }
        for start in stride(from: 0, to: blocks.count, by: 64) {
          expand(first + start, into: words)
          var (a, b, c, d) = (state[0], state[1], state[2], state[3])
          var (e, f, g, h) = (state[4], state[5], state[6], state[7])
          var index = 0
          while index < 64 {
            let (word, constant) = (words + index, constants + index)
            // Eight rounds bring each of the eight variables back to its place.
            round(a, b, c, &d, e, f, g, &h, word[0] &+ constant[0])
            round(h, a, b, &c, d, e, f, &g, word[1] &+ constant[1])
            round(g, h, a, &b, c, d, e, &f, word[2] &+ constant[2])
            round(f, g, h, &a, b, c, d, &e, word[3] &+ constant[3])
            round(e, f, g, &h, a, b, c, &d, word[4] &+ constant[4])
            round(d, e, f, &g, h, a, b, &c, word[5] &+ constant[5])
            round(c, d, e, &f, g, h, a, &b, word[6] &+ constant[6])
            round(b, c, d, &e, f, g, h, &a, word[7] &+ constant[7])
            index &+= 8
          }
          state &+= SIMD8(a, b, c, d, e, f, g, h)
        }
      }
    }
  }

  /// The 64 words of a block's schedule.
  @inline(__always)
  private static func expand(_ block: UnsafeRawPointer, into words: UnsafeMutablePointer<UInt32>) {
    for index in 0..<16 {
      words[index] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: index &* 4, as: UInt32.self))
    }
    var index = 16
    while index < 64 {
      let (a, b) = (words[index &- 15], words[index &- 2])
      let low = rotated(a, 7) ^ rotated(a, 18) ^ a &>> 3
      let high = rotated(b, 17) ^ rotated(b, 19) ^ b &>> 10
      words[index] = words[index &- 16] &+ low &+ words[index &- 7] &+ high
      index &+= 1
    }
  }

  @inline(__always)
  private static func round(
    _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32, _ e: UInt32, _ f: UInt32, _ g: UInt32, _ h: inout UInt32,
    _ word: UInt32
  ) {
    h = h &+ (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) &+ (g ^ e & (f ^ g)) &+ word
    d = d &+ h
    h = h &+ (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) &+ (a & b | c & (a | b))
  }

  @inline(__always)
  private static func rotated(_ word: UInt32, _ places: UInt32) -> UInt32 {
    word &>> places | word &<< (32 &- places)
  }

  /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
  private static let constants: [UInt32] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
  ]
}

extension Collection<UInt8> {
  /// Two lower-case hexadecimal digits a byte.
  package var hexadecimal: String {
    func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value }
    return String(unsafeUninitializedCapacity: count * 2) { text in
      var end = 0
      for byte in self {
        (text[end], text[end + 1]) = (digit(byte >> 4), digit(byte & 15))
        end += 2
      }
      return end
    }
  }
}

extension [UInt8] {
  /// The bytes that hexadecimal digits stand for; `nil` for another text.
  package init?(hexadecimal text: String) {
    let digits = Array<UInt8>(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    self = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index..<(index + 2)], as: UTF8.self), radix: 16) else {
        return nil
      }
      append(byte)
    }
  }
}
