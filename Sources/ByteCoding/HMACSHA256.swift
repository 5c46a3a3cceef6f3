/// HMAC-SHA256 (RFC 2104): digests that only who has the key can compute.
///
/// Cost: of a short message two blocks of SHA-256, 0.5 us.
package struct HMACSHA256: Sendable {
  private static let blockSize = 64

  /// After the block of the key, so that the key is hashed once.
  private let inner: SHA256
  private let outer: SHA256

  /// - Parameter key: Of any length; one of more than 64 bytes is replaced by its digest.
  package init(key: [UInt8]) {
    let short = key.count > Self.blockSize ? SHA256.digest(of: key) : key
    let block = short + [UInt8](repeating: 0, count: Self.blockSize - short.count)
    inner = Self.begun(block, 0x36)
    outer = Self.begun(block, 0x5c)
  }

  private static func begun(_ block: [UInt8], _ pad: UInt8) -> SHA256 {
    var hash = SHA256()
    block.map { $0 ^ pad }.withUnsafeBytes { hash.update($0) }
    return hash
  }

  /// The 32 bytes of the digest of `message`.
  package func digest(of message: [UInt8]) -> [UInt8] {
    var hash = inner
    message.withUnsafeBytes { hash.update($0) }
    var result = outer
    hash.finalized().withUnsafeBytes { result.update($0) }
    return result.finalized()
  }
}
