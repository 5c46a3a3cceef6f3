import ByteCoding
package import EpisodicMemory
import GRDB
import SQLiteStorage

/// Computes the keyed digests that stand for ids in receipts and in the feed.
package struct ErasureDigests: Sendable {
  let key: [UInt8]
  private let code: HMACSHA256

  package init(key: [UInt8]) {
    self.key = key
    code = HMACSHA256(key: key)
  }

  /// With the key of a store.
  ///
  /// - Throws: `.corrupted` if another program removed it.
  init(_ db: Database) throws {
    var rows = try RawStatement("SELECT digest_key FROM store", db)
    guard try rows.step(), rows.bytes(0).count == 32 else {
      throw MemoryError(.corrupted, "the store has lost the key of its receipts; restore a backup")
    }
    self.init(key: Array(rows.bytes(0)))
  }

  /// Of an id, a name or a text: HMAC-SHA256(key, kind, NUL, value).
  func bytes(_ kind: String, _ value: String) -> [UInt8] {
    var message = Array(kind.utf8)
    message.append(0)
    message += value.utf8
    return code.digest(of: message)
  }

  /// As of the text that has these bytes.
  func bytes(_ kind: String, _ value: UnsafeRawBufferPointer) -> [UInt8] {
    var message = Array(kind.utf8)
    message.append(0)
    message += value
    return code.digest(of: message)
  }

  func digest(of message: [UInt8]) -> [UInt8] { code.digest(of: message) }

  func digest(_ kind: String, _ value: String) -> Erasure.Digest {
    Erasure.Digest(rawValue: bytes(kind, value).hexadecimal)
  }

  /// What the digest of a selection by metadata is of.
  static func name(ofMetadata value: JSON, at path: [String]) -> String {
    JSON.array([.array(path.map(JSON.string)), value]).canonicalText
  }

  package func trace(_ subject: Erasure.Subject, _ name: String) -> Erasure.Trace {
    Erasure.Trace(subject, digest(subject.rawValue, name))
  }
}

/// A key of a request, in its domain.
struct IdempotencyKeyName: Hashable, Sendable {
  let domain: String
  let key: String

  /// What its digest is of.
  var name: String { "\(domain)\u{0}\(key)" }
}

/// Rows that are erased, or are to be.
struct ErasedRows: Sendable {
  /// Ids by row.
  var episodes: [Int64: String] = [:]
  var patterns: [Int64: PatternName] = [:]
  var idempotencyKeys: Set<IdempotencyKeyName> = []
  /// Rows of `orphans_kept`.
  var orphans: Set<Int64> = []

  struct PatternName: Sendable {
    let id: String
    /// As in the feed.
    let key: String
  }

  var isEmpty: Bool { episodes.isEmpty && patterns.isEmpty && idempotencyKeys.isEmpty && orphans.isEmpty }

  /// With their rows' names, from the tables.
  func traces(_ digests: ErasureDigests, _ db: Database) throws -> [Erasure.Trace] {
    var traces = episodes.values.map { digests.trace(.episode, $0) }
    traces += patterns.values.map { digests.trace(.pattern, $0.id) }
    traces += idempotencyKeys.map { digests.trace(.idempotencyKey, $0.name) }
    traces += try orphanNames(db).map { digests.trace(.orphan, $0.name) }
    return traces
  }

  /// Rows without an owner are named by what they have.
  func orphanNames(_ db: Database) throws -> [ErasedName] {
    var names: [ErasedName] = []
    var contents = try RawStatement("SELECT content FROM orphans_kept WHERE seq = ?", db)
    for row in orphans {
      try contents.bind(row)
      if try contents.step() { names.append(ErasedName(.orphan, contents.text(0))) }
      contents.reset()
    }
    return names
  }
}
