import ByteCoding
import Foundation

/// The key of a store: 32 bytes, with which the keys of its encrypted domains are encrypted.
///
/// Neither its description nor an error shows a byte of it.
public struct StoreKey: Sendable, CustomStringConvertible, CustomReflectable {
  /// Bytes of a key.
  public static let byteCount = 32

  package let bytes: [UInt8]

  /// - Throws: `.invalid` for another number of bytes than 32.
  public init(bytes: [UInt8]) throws(MemoryError) {
    guard bytes.count == Self.byteCount else {
      throw MemoryError(
        .invalid, "a key has \(Self.byteCount) bytes, and this one \(bytes.count); make one with StoreKey.random()")
    }
    self.bytes = bytes
  }

  /// The key of a text: 64 hexadecimal digits, or 44 characters of Base64. White space around it is left out.
  ///
  /// - Throws: `.invalid`, without the text.
  public init(text: String) throws(MemoryError) {
    let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
    let bytes = [UInt8](hexadecimal: text) ?? Data(base64Encoded: text).map { [UInt8]($0) }
    guard let bytes, bytes.count == Self.byteCount else {
      throw MemoryError(
        .invalid,
        "the key is neither 64 hexadecimal digits nor 32 bytes in Base64; make one with StoreKey.random() or openssl rand"
      )
    }
    self.bytes = bytes
  }

  /// A new key of random bytes of the system.
  public static func random() -> StoreKey {
    var generator = SystemRandomNumberGenerator()
    return StoreKey(checked: (0..<byteCount).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
  }

  private init(checked bytes: [UInt8]) { self.bytes = bytes }

  /// The key as 64 hexadecimal digits, to be kept where only its owner can read it.
  public var hexadecimal: String { bytes.hexadecimal }

  /// Without the key.
  public var description: String { "StoreKey" }
  /// Without the key.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Where a store's key comes from. It is asked once, when a row of an encrypted domain is read or written first.
public struct KeyProvider: Sendable {
  private let provide: @Sendable () throws(MemoryError) -> StoreKey

  /// A key of the caller: of a key management service, a keychain, a hardware token.
  ///
  /// - Parameter provide: May be called again after it has thrown.
  public init(_ provide: @escaping @Sendable () throws(MemoryError) -> StoreKey) { self.provide = provide }

  /// What it gives.
  package func key() throws(MemoryError) -> StoreKey { try provide() }

  /// A key that is known.
  public static func key(_ key: StoreKey) -> KeyProvider { KeyProvider { () throws(MemoryError) in key } }

  /// The key in a file, as text or as 32 bytes.
  ///
  /// It gives `.invalid` if others than the owner may read or write the file, `.keyMissing` if there is none.
  public static func file(_ path: String) -> KeyProvider {
    KeyProvider { () throws(MemoryError) in try key(of: try source.file(path)) }
  }

  /// The key that can be read from an open descriptor up to its end. The caller keeps and closes it.
  public static func descriptor(_ descriptor: Int32) -> KeyProvider {
    KeyProvider { () throws(MemoryError) in try key(of: try source.descriptor(descriptor)) }
  }

  /// The key in a variable of the environment, as text.
  public static func environment(_ name: String = "EPISODIC_KEY") -> KeyProvider {
    KeyProvider { () throws(MemoryError) in
      guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
        throw MemoryError(
          .keyMissing, "the variable \(name) of the environment has no key; set it to the key of the store")
      }
      return try StoreKey(text: value)
    }
  }

  private static let source = SecretSource("key", missing: .keyMissing, maximumBytes: 256)

  private static func key(of bytes: [UInt8]) throws(MemoryError) -> StoreKey {
    bytes.count == StoreKey.byteCount
      ? try StoreKey(bytes: bytes) : try StoreKey(text: String(decoding: bytes, as: UTF8.self))
  }
}
