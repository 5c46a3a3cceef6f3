/// What to erase for good; see `Memory.forget(_:in:patterns:dryRun:progress:)`.
public enum Erasure {
  /// Which episodes. Each is erased whole, with its steps, embeddings, links and idempotency keys.
  public enum Selection: Hashable, Sendable {
    /// Those of these ids; ids that the scope does not have are left out.
    case episodes([Episode.ID])
    /// Those of a session.
    case session(String)
    /// Those of a domain, with its patterns.
    case domain(String)
    /// Those that were created in a time, without its end.
    case created(Range<Timestamp>)
    /// Those whose metadata have a value: the names of members from the outside in, and what is found there. Composed and
    /// decomposed letters are one text.
    case metadata(path: [String], JSON)
    /// Those that came from a source, or have a step that did: its kind, such as `web`, or the id that it has. With all that was
    /// derived from them. Created at a time or after; `nil`: at any time.
    case source(String, since: Timestamp? = nil)
    /// Those with a text, literally, in any field of theirs or of their steps and embeddings; patterns and idempotency keys
    /// with it, too.
    ///
    /// Composed and decomposed letters are one text. A text in JSON is found also where it is written with escapes.
    case text(String, ignoringCase: Bool = false)
    /// All of the scope.
    case everything
  }

  /// What becomes of a pattern that was linked to erased episodes and to no others. One that has an erased text goes in any
  /// case; one that stays loses its links, and keeps its numbers.
  public enum PatternPolicy: String, CaseIterable, Hashable, Sendable, Codable {
    /// It is erased: what it was learned from is gone.
    case eraseWithoutEvidence = "erase"
    /// It stays.
    case keep
  }

  /// What can be erased by itself.
  public enum Subject: String, CaseIterable, Hashable, Sendable, Codable {
    /// An episode with all that belongs to it.
    case episode
    /// A pattern.
    case pattern
    /// The name of a request that is not to be repeated.
    case idempotencyKey = "idempotency_key"
    /// A row without an owner that `rebuild` set aside.
    case orphan
  }

  /// A keyed digest (HMAC-SHA256) of the id of something that was erased: only who has the store can compute it.
  public struct Digest: Hashable, Sendable, Codable, RawRepresentable, CustomStringConvertible {
    /// 64 hexadecimal digits.
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }
  }

  /// Something that was erased.
  public struct Trace: Hashable, Sendable, Codable {
    /// What it was.
    public let subject: Subject
    /// Of its id.
    public let digest: Digest

    /// By what it was and the digest of its id.
    public init(_ subject: Subject, _ digest: Digest) {
      self.subject = subject
      self.digest = digest
    }
  }

  /// Where an erasure is.
  public struct Progress: Hashable, Sendable {
    /// The stages, in order.
    public enum Stage: String, CaseIterable, Hashable, Sendable {
      /// What is to be erased is looked for.
      case search
      /// The rows are deleted.
      case rows
      /// Deleted words leave the full-text indexes.
      case fullText = "full text"
      /// What deleted rows left in free pages is overwritten.
      case freePages = "free pages"
      /// The log is moved into the database and truncated.
      case log
      /// Every page is searched for what was erased.
      case verification
      /// The database is written again.
      case rewrite
      /// Cache and index are made again.
      case derivedFiles = "cache and index"
      /// Backups are looked at, to be named; for a text they are searched before anything else, too.
      case backups
    }

    /// What is done now.
    public let stage: Stage
    /// In units of the stage.
    public let done: Int
    /// `nil` if it is not known.
    public let total: Int?

    package init(_ stage: Stage, done: Int = 0, total: Int? = nil) {
      self.stage = stage
      self.done = done
      self.total = total
    }
  }
}

/// What to erase, checked and normalised.
package struct ErasureRequest: Sendable {
  package let id: ErasureReceipt.ID
  package let selection: Erasure.Selection
  package let scope: Query.Scope
  package let patterns: Erasure.PatternPolicy
  package let now: Timestamp
  /// The copies beside the store that were searched before and have it, or may have it.
  package var copies: [ErasedCopy] = []

  /// Whether a copy is known to have it.
  package var isInCopies: Bool { copies.contains { !$0.found.isEmpty } }
}

/// A copy of the store beside it that has what is to be erased, or may have it.
package struct ErasedCopy: Hashable, Sendable {
  /// Of its file.
  package let name: String
  /// What it has; empty if it could not be searched.
  package let found: Set<ErasedName>

  package init(name: String, found: Set<ErasedName>) {
    self.name = name
    self.found = found
  }
}

/// Something that can be erased, by what its digest is of.
package struct ErasedName: Hashable, Sendable {
  package let subject: Erasure.Subject
  package let name: String

  package init(_ subject: Erasure.Subject, _ name: String) {
    self.subject = subject
    self.name = name
  }
}
