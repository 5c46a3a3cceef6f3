import ByteCoding
public import StoreValues

extension Ledger {
  /// A login of a person that is kept: when it began and ends, and not its token.
  public struct Login: Hashable, Sendable, Codable {
    /// Who logged in.
    public let person: Person.ID
    /// When it began.
    public let createdAt: Timestamp
    /// When its token is nobody's any more.
    public let expiresAt: Timestamp

    enum CodingKeys: String, CodingKey {
      case person
      case createdAt = "created_at"
      case expiresAt = "expires_at"
    }

    /// What a person shows to be recognised. The ledger keeps only a digest of it: nobody can read it from the file.
    public struct Token: Hashable, Sendable {
      /// 64 hexadecimal digits: 32 random bytes.
      public let text: String
      /// When it is nobody's any more.
      public let expiresAt: Timestamp
    }
  }
}

extension Ledger.Login.Token: CustomStringConvertible {
  /// Without the token, which is not for a log.
  public var description: String { "a token until \(expiresAt)" }
}

/// Makes tokens, and what is kept of them.
struct LoginTokens: Sendable {
  private let key: HMACSHA256

  init(_ identity: LedgerIdentity) { key = HMACSHA256(key: identity.digestKey) }

  static func random() -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }.hexadecimal
  }

  /// 32 bytes; a text that is no token has one too, which no login has.
  func digest(of token: String) -> [UInt8] { key.digest(of: Array("login token\u{0}\(token)".utf8)) }
}
