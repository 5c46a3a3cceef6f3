import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows
import Synchronization

/// The keys of domains as one transaction sees them.
///
/// Bound as a task-local value around every access to the database, so that rows are encoded and decoded in one place, the
/// mapping of each table. Outside of one there is no key: what is sealed cannot be read, and nothing is sealed.
final class KeySession: Sendable {
  @TaskLocal static var current: KeySession?

  private struct State {
    var ciphers: [Int64: DomainCipher] = [:]
    var current: [String: Current] = [:]
    var hasKeys: Bool?
    var hasOpened = false
  }

  /// What is written into a domain.
  private struct Current {
    let cipher: DomainCipher?
    let admitsPlain: Bool
  }

  private let keyring: StoreKeyring
  private let state = Mutex(State())

  init(_ keyring: StoreKeyring) { self.keyring = keyring }

  /// Runs a body in whose access to the database rows are sealed and opened with a store's keys.
  static func run<Value>(_ keyring: StoreKeyring, _ body: () throws -> Value) rethrows -> Value {
    try $current.withValue(KeySession(keyring), operation: body)
  }

  /// Whether something was read that is not to be kept in a derived file.
  static var hasOpened: Bool { current?.state.withLock { $0.hasOpened } ?? false }

  /// After a change of the keys in this transaction.
  static func reset() {
    current?.state.withLock { $0 = State() }
    current?.keyring.hasSeenKeys = true
  }

  // MARK: Ciphers

  /// What rows of a domain are sealed with; `nil` if it is not encrypted.
  ///
  /// - Throws: `.keyMissing`, `.keyWrong`, `.keyDestroyed`.
  static func cipher(for domain: String?, _ db: Database) throws -> DomainCipher? {
    guard let domain, let session = current else { return nil }
    return try session.currentKey(of: domain, db)?.cipher
  }

  /// As `cipher`, of a domain that was asked for before in this transaction.
  static func knownCipher(for domain: String) -> DomainCipher? {
    current?.state.withLock { $0.current[domain]?.cipher }
  }

  /// - Throws: `.corrupted` if the domain is encrypted and may have no row that is not sealed.
  static func requirePlain(_ place: @autoclosure () -> SealedPlace, in domain: String, _ db: Database) throws {
    // A process that has seen no key has no reason to look: writers are held by the rules of the schema.
    guard let session = current, session.keyring.hasSeenKeys else { return }
    guard let current = try session.currentKey(of: domain, db, opens: false), !current.admitsPlain else { return }
    let place = place()
    throw MemoryError(
      .corrupted,
      "the \(place.table.title) \"\(place.id)\" is not encrypted, and its domain \"\(domain)\" is: another program wrote it; "
        + "delete it, or restore a backup")
  }

  /// Whether a domain is encrypted; costs a look into an index, or nothing in a store without keys.
  static func isEncrypted(_ domain: String?, _ db: Database) throws -> Bool {
    guard let domain, let session = current, try session.hasKeys(db) else { return false }
    return try Bool.fetchOne(
      db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM domain_keys WHERE domain = ?)"), arguments: [domain])
      ?? false
  }

  /// Whether a domain of the store is encrypted; costs a look into a table, once in a transaction.
  static func storeHasKeys(_ db: Database) throws -> Bool { try current?.hasKeys(db) ?? false }

  private func hasKeys(_ db: Database) throws -> Bool {
    if let known = state.withLock({ $0.hasKeys }) { return known }
    var rows = try RawStatement("SELECT 1 FROM domain_keys LIMIT 1", db)
    let has = try rows.step()
    if has { keyring.hasSeenKeys = true }
    state.withLock { $0.hasKeys = has }
    return has
  }

  private func currentKey(of domain: String, _ db: Database, opens: Bool = true) throws -> Current? {
    guard try hasKeys(db) else { return nil }
    if let known = state.withLock({ $0.current[domain] }), known.cipher != nil || !opens { return known }
    let rows = try Row.fetchAll(
      db.cachedStatement(
        sql: "SELECT number, version, state, admits FROM domain_keys WHERE domain = ? ORDER BY version DESC"),
      arguments: [domain])
    guard let newest = rows.first else { return nil }
    let isCurrent = try newest.value(2) as String == "current"
    if opens {
      guard isCurrent else { throw Self.destroyed(domain, try newest.value(1)) }
      state.withLock { $0.hasOpened = true }
    }
    let current = Current(
      cipher: opens ? try cipher(numbered: newest.value(0), db) : nil, admitsPlain: try newest.value(3))
    state.withLock { $0.current[domain] = current }
    return current
  }

  private func cipher(numbered number: Int64, _ db: Database) throws -> DomainCipher {
    if let known = state.withLock({ $0.ciphers[number] }) { return known }
    keyring.hasSeenKeys = true
    let statement = try db.cachedStatement(
      sql: "SELECT domain, version, state, wrapped FROM domain_keys WHERE number = ?")
    guard let row = try Row.fetchOne(statement, arguments: [number]) else {
      throw MemoryError(
        .keyDestroyed,
        "a row is encrypted with the key \(number), which the store does not have any more; restore a backup that has it"
      )
    }
    let (domain, version): (String, Int64) = (try row.value(0), try row.value(1))
    guard let wrapped = try row.withUnsafeData(atIndex: 3, { $0.map { [UInt8]($0) } }) else {
      guard try row.value(2) as String == "replaced" else { throw Self.destroyed(domain, version) }
      throw MemoryError(
        .keyDestroyed,
        "a row of the domain \"\(domain)\" is encrypted with version \(version) of its key, which was replaced: the row is of an "
          + "older copy; restore a backup as a whole")
    }
    let key = try keyring.unwrap(wrapped, of: domain, version: version, salt: StoreKeyring.salt(db))
    let cipher = DomainCipher(number: number, domain: domain, version: version, key: key)
    state.withLock { $0.ciphers[number] = cipher }
    return cipher
  }

  private static func destroyed(_ domain: String, _ version: Int64) -> MemoryError {
    MemoryError(
      .keyDestroyed,
      "the key of the domain \"\(domain)\" (version \(version)) was destroyed, so nobody can read it any more; forget the domain"
    )
  }

  // MARK: Rows

  /// What a sealed row says.
  ///
  /// - Parameter domain: Of its episode or pattern, if it is known.
  /// - Throws: `.keyMissing`, `.keyWrong`, `.keyDestroyed`; `.corrupted` if it was changed or is in the wrong place.
  static func open(
    _ sealed: [UInt8], detached: [UInt8] = [], at place: SealedPlace, in domain: String?, _ db: Database
  ) throws -> [UInt8] {
    guard let session = current else {
      throw MemoryError(
        .keyMissing,
        "the \(place.table.title) \"\(place.id)\" is encrypted, and it is read without a key; open the store with its key"
      )
    }
    guard let number = DomainCipher.keyNumber(of: sealed) else {
      throw MemoryError(
        .corrupted, "the \(place.table.title) \"\(place.id)\" is encrypted in no form that is known; restore a backup")
    }
    let cipher = try session.cipher(numbered: number, db)
    if let domain, !domain.hasSameBytes(as: cipher.domain) {
      throw DomainCipher.damaged(place, domain, cipher.version)
    }
    session.state.withLock { $0.hasOpened = true }
    return try cipher.open(sealed, detached: detached, at: place)
  }

  /// The digests of the stems of a text, sorted: their order would tell what is beside what.
  static func words(of text: String, _ cipher: DomainCipher, _ db: Database) throws -> [String] {
    guard let session = current, !text.isEmpty else { return [] }
    let tokenizer = try session.keyring.tokenizers.take(db)
    defer { session.keyring.tokenizers.putBack(tokenizer) }
    var words: [String] = []
    try text.withContiguousUTF8 { bytes in
      try tokenizer.cut(bytes) { stem, _ in words.append(String(decoding: cipher.word(stem), as: UTF8.self)) }
    }
    return words.sorted()
  }
}
