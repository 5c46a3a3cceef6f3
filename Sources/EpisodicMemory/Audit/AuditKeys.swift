#if Encryption
  import ByteCoding
  import Crypto
  import Foundation

  /// The private key of Ed25519 by which heads of an audit are signed.
  public struct AuditSigningKey: Sendable {
    private let key: Curve25519.Signing.PrivateKey

    /// A new key.
    public init() { key = Curve25519.Signing.PrivateKey() }

    /// The key of a text: PEM as `openssl genpkey -algorithm ed25519` writes it, or 64 hexadecimal digits.
    ///
    /// - Throws: `.invalid`, without the text.
    public init(text: String) throws(MemoryError) {
      guard let bytes = KeyText.bytes(of: text, "PRIVATE KEY", after: KeyText.privatePrefix),
        let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
      else {
        throw MemoryError(
          .invalid, "the text is no private key of Ed25519; make one with openssl genpkey -algorithm ed25519")
      }
      self.key = key
    }

    /// The public key: 32 bytes.
    public var publicKey: [UInt8] { [UInt8](key.publicKey.rawRepresentation) }

    /// The head with a signature of this key.
    public func signed(_ head: AuditHead) throws(MemoryError) -> AuditHead {
      var head = head
      do {
        let value = try key.signature(for: Data(head.signedText.utf8))
        head.signature = AuditHead.Signature(key: publicKey, value: [UInt8](value))
        return head
      } catch {
        throw MemoryError(.unavailable, "the head cannot be signed: \(error)", cause: error)
      }
    }
  }

  extension AuditHead {
    /// Whether the signature is right, and of one key.
    ///
    /// - Parameter key: The public key that has to have signed it, PEM or 64 hexadecimal digits; `nil`: any.
    /// - Returns: False without a signature.
    /// - Throws: `.invalid` for a text that is no public key.
    public func isSigned(by key: String? = nil) throws(MemoryError) -> Bool {
      var wanted: [UInt8]?
      if let key {
        guard let bytes = KeyText.bytes(of: key, "PUBLIC KEY", after: KeyText.publicPrefix) else {
          throw MemoryError(.invalid, "the text is no public key of Ed25519; get it with openssl pkey -pubout")
        }
        wanted = bytes
      }
      guard let signature, wanted == nil || wanted == signature.key,
        let signer = try? Curve25519.Signing.PublicKey(rawRepresentation: signature.key)
      else { return false }
      return signer.isValidSignature(signature.value, for: Data(signedText.utf8))
    }
  }

  /// Keys of Ed25519 as text (RFC 8410).
  private enum KeyText {
    static let privatePrefix: [UInt8] = [
      0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ]
    static let publicPrefix: [UInt8] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]

    /// The 32 bytes of a key; `nil` if the text has none.
    static func bytes(of text: String, _ label: String, after prefix: [UInt8]) -> [UInt8]? {
      let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
      if let bytes = [UInt8](hexadecimal: text), bytes.count == 32 { return bytes }
      let (begin, end) = ("-----BEGIN \(label)-----", "-----END \(label)-----")
      guard text.hasPrefix(begin), text.hasSuffix(end) else { return nil }
      let body = text.dropFirst(begin.count).dropLast(end.count).filter { !$0.isWhitespace }
      guard let der = Data(base64Encoded: String(body)), der.count == prefix.count + 32, der.starts(with: prefix) else {
        return nil
      }
      return [UInt8](der.dropFirst(prefix.count))
    }
  }
#endif
