import ByteCoding

/// The last record of an audit at some moment: who keeps it elsewhere sees later whether records up to it are missing or others.
public struct AuditHead: Hashable, Sendable {
  /// Who vouched for a head.
  public struct Signature: Hashable, Sendable {
    /// The public key of Ed25519: 32 bytes.
    public let key: [UInt8]
    /// Over `AuditHead.signedText`: 64 bytes.
    public let value: [UInt8]

    /// A signature as it stands in a file, right or wrong.
    public init(key: [UInt8], value: [UInt8]) { (self.key, self.value) = (key, value) }
  }

  /// The identity of the store: 32 hexadecimal digits. A store that was restored has another one, and the same chain.
  public let store: String
  /// Of the last record; 0 if there is none.
  public let number: Int64
  /// Of the last record; zeros if there is none.
  public let digest: Erasure.Digest
  /// When the head was read, by the clock.
  public let at: Timestamp
  /// `nil` if nobody signed it.
  public var signature: Signature?

  package init(store: String, number: Int64, digest: Erasure.Digest, at: Timestamp) {
    (self.store, self.number, self.digest, self.at) = (store, number, digest, at)
  }

  /// What is signed: five lines, the last of which ends as the others do.
  public var signedText: String {
    """
    episodic-audit-head 1
    store \(store)
    number \(number)
    digest \(digest)
    at \(at)

    """
  }

  /// The head as a file has it.
  public var json: JSON {
    var members: JSON.Object = [
      "store": .string(store), "number": .integer(number), "digest": .string(digest.rawValue), "at": .string("\(at)"),
    ]
    if let signature {
      members["key"] = .string(signature.key.hexadecimal)
      members["signature"] = .string(signature.value.hexadecimal)
    }
    return .object(members)
  }

  /// The head of a file.
  ///
  /// - Throws: `.invalid` for what is none.
  public init(json: JSON) throws(MemoryError) {
    let fault = MemoryError(.invalid, "the text is no head of an audit; give a file that audit head wrote")
    guard let members = json.members, let store = members.text("store"), let number = members.integer("number"),
      number >= 0, let digest = members.digest("digest"), let at = members.text("at").flatMap({ Timestamp($0) })
    else { throw fault }
    self.init(store: store, number: number, digest: Erasure.Digest(bytes: digest), at: at)
    guard members["signature"] != nil || members["key"] != nil else { return }
    guard let key = members.digest("key"), let value = members.text("signature").flatMap([UInt8].init(hexadecimal:)),
      value.count == 64
    else { throw fault }
    signature = Signature(key: key, value: value)
  }
}
