import EpisodicMemory

#if Encryption
  import Crypto
  import Foundation
#endif

/// AES-256-GCM and the derivation of keys (HKDF-SHA256), by swift-crypto; without the trait `Encryption` they throw.
enum AuthenticatedEncryption {
  static let nonceCount = 12
  static let tagCount = 16

  struct Sealed {
    var nonce: [UInt8]
    var ciphertext: [UInt8]
    var tag: [UInt8]
  }

  #if Encryption
    static let isBuilt = true

    static func seal(_ plain: [UInt8], key: [UInt8], authenticating: [UInt8]) throws -> Sealed {
      let box = try AES.GCM.seal(plain, using: SymmetricKey(data: key), authenticating: authenticating)
      return Sealed(nonce: Array(box.nonce), ciphertext: Array(box.ciphertext), tag: Array(box.tag))
    }

    /// - Returns: `nil` if the key is another one, or a byte was changed.
    static func open(_ sealed: Sealed, key: [UInt8], authenticating: [UInt8]) -> [UInt8]? {
      guard let nonce = try? AES.GCM.Nonce(data: sealed.nonce),
        let box = try? AES.GCM.SealedBox(nonce: nonce, ciphertext: sealed.ciphertext, tag: sealed.tag),
        let plain = try? AES.GCM.open(box, using: SymmetricKey(data: key), authenticating: authenticating)
      else { return nil }
      return [UInt8](plain)
    }

    static func derive(from key: [UInt8], salt: [UInt8], info: [UInt8]) throws -> [UInt8] {
      HKDF<Crypto.SHA256>.deriveKey(
        inputKeyMaterial: SymmetricKey(data: key), salt: salt, info: info, outputByteCount: 32
      ).withUnsafeBytes { Array($0) }
    }
  #else
    static let isBuilt = false

    static func seal(_ plain: [UInt8], key: [UInt8], authenticating: [UInt8]) throws -> Sealed { throw notBuilt }
    static func open(_ sealed: Sealed, key: [UInt8], authenticating: [UInt8]) -> [UInt8]? { nil }
    static func derive(from key: [UInt8], salt: [UInt8], info: [UInt8]) throws -> [UInt8] { throw notBuilt }
  #endif

  static var notBuilt: MemoryError {
    MemoryError(
      .unavailable,
      "encryption needs a build with the package trait Encryption, and this is one without; build it with that trait"
    )
  }

  /// Random bytes of the system.
  static func random(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }
}
