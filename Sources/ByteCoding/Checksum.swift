/// A 64-bit checksum and hash: 3 ns for up to 16 bytes, 10 ns for 80, 150 ns for 4 KiB.
///
/// Folded multiplication, as in wyhash: two words, each mixed with a secret or with the state so far, are multiplied, and
/// the halves of the product are XORed. Long input runs in eight independent lanes, so that no product waits for the one
/// before. It detects damage (a chance of 2^-64 to miss it) and spreads keys; it does not resist an adversary.
@usableFromInline package enum Checksum {
  // The fraction of pi, as in Blowfish.
  @inlinable static var secret0: UInt64 { 0x243F_6A88_85A3_08D3 }
  @inlinable static var secret1: UInt64 { 0x1319_8A2E_0370_7344 }
  @inlinable static var secret2: UInt64 { 0xA409_3822_299F_31D0 }
  @inlinable static var secret3: UInt64 { 0x082E_FA98_EC4E_6C89 }

  @inlinable
  package static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    let count = bytes.count
    if count > 16 { return long(bytes, seed: seed) }
    if count >= 8 { return short(bytes.integer(at: 0), bytes.integer(at: count - 8), count, seed: seed) }
    if count >= 4 {
      let (low, high): (UInt32, UInt32) = (bytes.integer(at: 0), bytes.integer(at: count - 4))
      return short(UInt64(high) << 32 | UInt64(low), 0, count, seed: seed)
    }
    var word: UInt64 = 0
    for byte in bytes { word = word << 8 | UInt64(byte) }
    return short(word, 0, count, seed: seed)
  }

  @inlinable
  package static func of(_ bytes: RawSpan, seed: UInt64) -> UInt64 {
    bytes.withUnsafeBytes { of($0, seed: seed) }
  }

  /// The checksum of a text's UTF-8.
  @inlinable
  package static func of(_ text: String, seed: UInt64) -> UInt64 {
    var text = text
    return text.withUTF8 { of(UnsafeRawBufferPointer($0), seed: seed) }
  }

  /// The checksum of a number's eight bytes, lowest first.
  @inlinable
  @inline(__always)
  package static func of(_ word: UInt64, seed: UInt64) -> UInt64 { short(word, word, 8, seed: seed) }

  /// Of `count` bytes, at most 16, that are all in the two words.
  @inlinable
  @inline(__always)
  static func short(_ a: UInt64, _ b: UInt64, _ count: Int, seed: UInt64) -> UInt64 {
    let product = (a ^ secret3).multipliedFullWidth(by: b ^ seed ^ secret0)
    return fold(product.low ^ secret0 ^ UInt64(truncatingIfNeeded: count), product.high ^ secret1)
  }

  /// Of more than 16 bytes.
  @usableFromInline
  static func long(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    @inline(__always) func word(_ offset: Int) -> UInt64 { bytes.integer(at: offset) }
    let count = bytes.count
    var at = 0
    var all = seed ^ secret0
    if count >= 128 {
      var (a, b, c, d) = (seed ^ secret0, seed ^ secret1, seed ^ secret2, seed ^ secret3)
      var (e, f, g, h) = (~a, ~b, ~c, ~d)
      while at + 128 <= count {
        a = fold(word(at) ^ secret0, word(at + 8) ^ a)
        b = fold(word(at + 16) ^ secret1, word(at + 24) ^ b)
        c = fold(word(at + 32) ^ secret2, word(at + 40) ^ c)
        d = fold(word(at + 48) ^ secret3, word(at + 56) ^ d)
        e = fold(word(at + 64) ^ secret0, word(at + 72) ^ e)
        f = fold(word(at + 80) ^ secret1, word(at + 88) ^ f)
        g = fold(word(at + 96) ^ secret2, word(at + 104) ^ g)
        h = fold(word(at + 112) ^ secret3, word(at + 120) ^ h)
        at += 128
      }
      all = fold(a ^ secret1, b ^ e) ^ fold(c ^ secret2, d ^ f) ^ fold(g ^ secret3, h ^ secret0)
    }
    while at + 16 < count {
      all = fold(word(at) ^ secret2, word(at + 8) ^ all)
      at += 16
    }
    // The last 16 bytes, of which some may have been read above.
    all = fold(word(count - 16) ^ secret3, word(count - 8) ^ all)
    return fold(all ^ secret0, UInt64(truncatingIfNeeded: count) ^ secret1)
  }

  @inlinable
  @inline(__always)
  static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }
}
