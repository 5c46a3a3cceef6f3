import ByteCoding
import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows
import Synchronization

/// The key of the store, as the caller gives it, and what is encrypted with it: the keys of domains.
final class StoreKeyring: Sendable {
  private struct State {
    var provider: KeyProvider?
    var key: StoreKey?
    /// Takes the place of the key when a transaction that is under way is committed: readers may see it before this process knows.
    var next: StoreKey?
  }

  private let state: Mutex<State>
  /// Whether this process has seen a domain that is encrypted.
  private let sawKeys = Atomic(false)
  let tokenizers: TokenizerPool

  init(_ provider: KeyProvider?, _ tokenizers: TokenizerPool) {
    state = Mutex(State(provider: provider))
    self.tokenizers = tokenizers
  }

  var hasSeenKeys: Bool {
    get { sawKeys.load(ordering: .relaxed) }
    set { sawKeys.store(newValue, ordering: .relaxed) }
  }

  /// Another key that may be that of the store, before it is.
  func expect(_ key: StoreKey) { state.withLock { $0.next = key } }

  /// The expected key from now on.
  func replace(by key: StoreKey) { state.withLock { ($0.key, $0.next) = (key, nil) } }

  /// The key of the store. The caller is asked once.
  ///
  /// - Throws: `.keyMissing`; what the caller's provider throws.
  func key(of domain: String) throws(MemoryError) -> StoreKey {
    guard AuthenticatedEncryption.isBuilt else { throw AuthenticatedEncryption.notBuilt }
    let (known, provider) = state.withLock { ($0.key, $0.provider) }
    if let known { return known }
    guard let provider else {
      throw MemoryError(
        .keyMissing,
        "the domain \"\(domain)\" is encrypted and the store was opened without a key; give the option key")
    }
    let key = try provider.key()
    state.withLock { $0.key = key }
    return key
  }

  // MARK: Wrapping

  /// - Parameter key: As `DomainCipher` takes it.
  static func wrap(
    _ key: [UInt8], of domain: String, version: Int64, with storeKey: StoreKey, salt: [UInt8]
  ) throws -> [UInt8] {
    let info = info(domain, version)
    let wrapping = try AuthenticatedEncryption.derive(from: storeKey.bytes, salt: salt, info: info)
    let box = try AuthenticatedEncryption.seal(key, key: wrapping, authenticating: info)
    return box.nonce + box.tag + box.ciphertext
  }

  /// - Throws: `.keyWrong`.
  func unwrap(_ wrapped: [UInt8], of domain: String, version: Int64, salt: [UInt8]) throws -> [UInt8] {
    let next = state.withLock { $0.next }
    for storeKey in [try key(of: domain), next].compactMap(\.self) {
      if let key = try Self.unwrap(wrapped, of: domain, version: version, with: storeKey, salt: salt) { return key }
    }
    throw MemoryError(
      .keyWrong,
      "the key does not open version \(version) of the key of the domain \"\(domain)\": it is the key of another store, or one "
        + "that was replaced; give the key that the store has now")
  }

  private static func unwrap(
    _ wrapped: [UInt8], of domain: String, version: Int64, with storeKey: StoreKey, salt: [UInt8]
  ) throws -> [UInt8]? {
    let info = info(domain, version)
    let wrapping = try AuthenticatedEncryption.derive(from: storeKey.bytes, salt: salt, info: info)
    let tag = wrapped.dropFirst(AuthenticatedEncryption.nonceCount)
    let box = AuthenticatedEncryption.Sealed(
      nonce: Array(wrapped.prefix(AuthenticatedEncryption.nonceCount)),
      ciphertext: Array(tag.dropFirst(AuthenticatedEncryption.tagCount)),
      tag: Array(tag.prefix(AuthenticatedEncryption.tagCount)))
    let key = AuthenticatedEncryption.open(box, key: wrapping, authenticating: info)
    return key?.count == DomainCipher.keyCount ? key : nil
  }

  private static func info(_ domain: String, _ version: Int64) -> [UInt8] {
    var bytes = ByteWriter(capacity: 64)
    bytes.write("episodic.domain_key")
    bytes.write(domain)
    bytes.write(version)
    return bytes.bytes
  }

  static func salt(_ db: Database) throws -> [UInt8] {
    var rows = try RawStatement("SELECT key_salt FROM store", db)
    guard try rows.step(), rows.bytes(0).count == 32 else {
      throw MemoryError(
        .corrupted, "the store has lost the salt of its keys, so no encrypted domain can be read; restore a backup")
    }
    return Array(rows.bytes(0))
  }
}
