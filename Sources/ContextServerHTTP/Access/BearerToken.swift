import ByteCoding
package import EpisodicMemory
import FileLocks
import Foundation

/// What a client must present on a loopback address, which every user of the machine can reach.
///
/// Neither its description nor an error shows a character of it.
package struct BearerToken: Sendable, CustomStringConvertible, CustomReflectable {
  /// Characters that a token has.
  private static let allowedLength = 32...512
  private static let source = SecretSource("token", missing: .notFound, maximumBytes: 1024)

  private let bytes: [UInt8]

  /// - Parameter text: White space around the token is left out.
  /// - Throws: `.invalid` for what RFC 6750 does not allow in a header, and for one that could be guessed.
  package init(_ text: some Sequence<UInt8>) throws(MemoryError) {
    let white: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
    var bytes = Array(text.drop { white.contains($0) })
    while let last = bytes.last, white.contains(last) { bytes.removeLast() }
    guard Self.allowedLength.contains(bytes.count), bytes.allSatisfy(Self.isAllowed) else {
      throw MemoryError(
        .invalid,
        "the token has not \(Self.allowedLength.lowerBound) to \(Self.allowedLength.upperBound) letters, digits and -._~+/=; "
          + "make one with openssl rand -hex 32")
    }
    self.bytes = bytes
  }

  /// 256 random bits.
  package static func random() -> BearerToken {
    var generator = SystemRandomNumberGenerator()
    let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    return BearerToken(checked: Array(bytes.hexadecimal.utf8))
  }

  private init(checked bytes: [UInt8]) { self.bytes = bytes }

  /// The token of a file of mode 0600.
  package static func file(_ path: String) throws(MemoryError) -> BearerToken {
    try BearerToken(try source.file(path))
  }

  /// The token that can be read from an open descriptor.
  package static func descriptor(_ descriptor: Int32) throws(MemoryError) -> BearerToken {
    try BearerToken(try source.descriptor(descriptor))
  }

  /// The token of a file; without the file it is made, with a new token and mode 0600.
  ///
  /// - Parameter path: In a directory that exists.
  package static func fileOrNew(_ path: String) throws(MemoryError) -> BearerToken {
    if let bytes = try source.fileIfPresent(path) { return try BearerToken(bytes) }
    let token = random()
    do throws(FileError) {
      let draft = try DraftFile(of: path)
      try draft.file().append(token.bytes + [0x0A])
      try draft.publish()
      return token
    } catch {
      // Another server that starts now has made one.
      if error.number == EEXIST { return try file(path) }
      throw MemoryError(
        .unavailable, "the token cannot be kept in \(path): \(error.message); name another file", cause: error)
    }
  }

  /// Compares in a time that does not depend on how much of it is right.
  func matches(_ presented: some StringProtocol) -> Bool {
    let presented = Array(presented.utf8)
    guard presented.count == bytes.count else { return false }
    return zip(presented, bytes).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-._~+/=".utf8.contains(byte)
    }
  }

  /// Without the token.
  package var description: String { "BearerToken" }
  /// Without the token.
  package var customMirror: Mirror { Mirror(self, children: []) }
}
