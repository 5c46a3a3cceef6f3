import ByteCoding
import Testing

@Suite struct `SHA-256` {
  /// Messages and digests of FIPS 180-4's examples and of NIST's CAVP (SHA256ShortMsg).
  static let vectors: [(message: [UInt8], digest: String)] = [
    ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      Array(
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"
          .utf8),
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
    ([0xd3], "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"),
    ([0x11, 0xaf], "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"),
    ([0xb4, 0x19, 0x0e], "dff2e73091f6c05e528896c4c831b9448653dc2ff043528f6769437bc7b975c2"),
  ]

  @Test(arguments: vectors) func `of the standard's messages is the standard's digest`(
    _ message: [UInt8], _ digest: String
  ) {
    #expect(SHA256.digest(of: message).hexadecimal == digest)
  }

  @Test func `of a million times the letter a is the standard's digest`() {
    let digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    #expect(SHA256.digest(of: [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)).hexadecimal == digest)
  }

  /// The first four bytes of the digests of 0 to 130 bytes, as sha256sum (GNU coreutils) prints them: byte number `i` of a
  /// message of `n` bytes is (7`i` + `n`) mod 256.
  static let prefixes = """
    e3b0c442 4bf5122f 4b2871da 6ab0dba1 cc91969e 548f1ba2 d9bebe62 ea329d80 f8d2f3f0 ebf38f05 ebed051b ee18d80d
    274224d6 c4b39344 f7844170 d31c84cc 91fa54b4 cf197c74 82b26c63 676dcbee f35ba446 3256422b b570f8ff 480bb272
    6aa20097 46f22d0c 56493089 9e27fdce 6a05fba9 b3c98cf7 546f9cdd 6c56c9f0 70b25e78 91b1f04c a77a82dd 0def435a
    76f26884 604830b3 e9484af3 f2ce036a 12700850 d52c9271 89e9f1b1 b1dc5861 88a0cbfc adfdb4e4 5d7fb8c3 c05eafab
    1b9bb784 f2fbae74 12e6b65d 45c4681f 7307c900 b960bcf7 1ad616be 81afe5b7 2aba54f0 903284ef 49298f16 1b70d65e
    a7395392 eb75a7c8 c2c02d57 733d3d4e 79322907 d85c007c 4bd07799 bfa53da1 d7b50207 175cb3b4 b6091ec9 8798aff4
    22094512 9562f475 0bb0cef2 6a0ef990 8a33581f 98a67047 0acb3e85 ad6a07a7 a6e52afb 377a4403 4c3e7a41 fc9fb042
    144cf6dd 266b94db f0284cad cd1ae968 f95c65d1 5716a97f b93c6d70 a9da5f64 01ec3620 bc7eeb52 b8b392cf 9e1c7c73
    4a0a3813 02bb4113 e026184f 2ac66f34 2f52d6c6 a5b81b49 d69dce1d 900ad118 1e23a812 58ac756b a35cd046 55bf424a
    ba099012 1495e6b7 87f22f4d b41ae523 0949563b 797b1388 7da54c63 ef795a2d 618b0c28 5755466e 718ab275 6c87eedf
    42500cf6 bfee8850 e7b3de51 8dd1b5fc 5b97543a e531b989 5ae48c4d 68f6ff71 489d55fe 4e1556b2 bfeaa0cf
    """.split(whereSeparator: \.isWhitespace)

  static func message(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + count) } }

  @Test(arguments: Array(prefixes.enumerated())) func `of every length up to 130 bytes is that of sha256sum`(
    _ count: Int, _ prefix: Substring
  ) {
    #expect(SHA256.digest(of: Self.message(count)).prefix(4).hexadecimal == prefix)
  }

  @Test func `piece by piece is the same as at once, wherever the pieces end`() {
    let message = Self.message(200)
    let digest = SHA256.digest(of: message)
    for first in stride(from: 0, through: 200, by: 3) {
      for second in stride(from: first, through: 200, by: 7) {
        var hash = SHA256()
        for piece in [message[..<first], message[first..<second], message[second...]] {
          piece.withUnsafeBytes { hash.update($0) }
        }
        #expect(hash.finalized() == digest)
      }
    }
  }

  @Test func `of a text is that of its UTF-8`() {
    for text in ["", "Zoë", String(repeating: "é", count: 100)] {
      #expect(SHA256.digest(of: text) == SHA256.digest(of: Array(text.utf8)))
    }
  }
}
