import ByteCoding

/// A request that the caller may repeat: its key, and a digest that tells it from every other request.
package struct IdempotentRequest: Sendable {
  package enum Verb: String, Sendable { case begin, append }

  package let key: String
  package let verb: Verb
  /// SHA-256 of everything that the caller gave.
  package let digest: [UInt8]

  private init(_ key: String, _ verb: Verb, _ bytes: ByteWriter) {
    self.key = key.canonicallyComposed
    self.verb = verb
    digest = SHA256.digest(of: bytes.bytes)
  }

  init(_ key: String, begin draft: Episode.Draft) {
    var bytes = ByteWriter()
    for text in [draft.taskType.rawValue, draft.domain, draft.context, draft.metadata.canonicalText] {
      bytes.write(text)
    }
    for text in [draft.session, draft.id?.rawValue] { bytes.write(text) { $0.write($1) } }
    // Only if they are given: requests that were answered before there were any have the same digests.
    if !draft.provenance.isEmpty || !draft.parents.isEmpty {
      bytes.write(draft.provenance)
      bytes.write(draft.parents) { $0.write($1.rawValue) }
    }
    self.init(key, .begin, bytes)
  }

  init(_ key: String, append drafts: [Step.Draft], to id: Episode.ID) {
    var bytes = ByteWriter()
    bytes.write(id.rawValue)
    bytes.write(drafts) { bytes, draft in
      bytes.write(draft.action)
      for text in [draft.result, draft.tool] { bytes.write(text) { $0.write($1) } }
      bytes.write(draft.duration?.milliseconds) { $0.write($1) }
      bytes.write(draft.success) { $0.write($1) }
      bytes.write(draft.number) { $0.write($1) }
      bytes.write(draft.timestamp?.milliseconds) { $0.write($1) }
      bytes.write(draft.overlong == .cut)
      if !draft.provenance.isEmpty { bytes.write(draft.provenance) }
    }
    self.init(key, .append, bytes)
  }
}

extension ByteWriter {
  fileprivate mutating func write(_ provenance: Provenance) {
    for text in [
      provenance.source?.rawValue, provenance.sourceID, provenance.actor, provenance.trust?.rawValue,
    ] {
      write(text) { $0.write($1) }
    }
  }
}
