/// One committed change, as `Memory.changes(after:in:)` tells it.
public struct MemoryChange: Hashable, Sendable {
  /// What was changed. It may have been changed again, or deleted, when the change is read.
  public enum Subject: Hashable, Sendable {
    /// An episode itself.
    case episode(Episode.ID)
    /// A step of an episode. The number is `nil` in changes that an earlier version recorded.
    case step(of: Episode.ID, number: Int?)
    /// A pattern, named by its type and the hash of its data.
    case pattern(PatternType, dataHash: String)
    /// The vector of an episode or a step.
    case embedding(Embedding.ID)
    /// What was erased, by the digest of its id; see `Memory.erasureDigest(_:of:)`.
    case erased(Erasure.Subject, Erasure.Digest)
  }

  /// What happened to the subject.
  public enum Kind: String, CaseIterable, Hashable, Sendable, Codable {
    /// It is there now, and was not, or it replaced one of the same name.
    case inserted = "insert"
    /// It was there before, and is now another.
    case updated = "update"
    /// The deletion of an episode stands for its steps, its embeddings and its links. An episode that moves to another domain
    /// is deleted from one and inserted into the other.
    case deleted = "delete"
  }

  /// What was changed.
  public let subject: Subject
  /// `nil` in changes that an earlier version recorded.
  public let kind: Kind?
  /// The domain of the subject; `nil` if it has none, as a pattern that all domains share.
  public let domain: String?
  /// The place after this change: what to store, together with what was done about the change, to go on from there.
  public let cursor: Cursor

  package init(subject: Subject, kind: Kind?, domain: String?, cursor: Cursor) {
    self.subject = subject
    self.kind = kind
    self.domain = domain
    self.cursor = cursor
  }

  /// Why changes may be missing. What depends on them has to be read again.
  public enum Gap: String, CaseIterable, Hashable, Sendable, Codable {
    /// The feed keeps the last 200,000 rows and those of the last 24 hours, a million at most, and does not reach back to the
    /// cursor.
    case pruned
    /// The cursor is of another store, or of another history of this one: a backup was restored.
    case otherHistory = "other_history"
  }

  /// A place in the history of one store, between two changes. Opaque; it survives restarts, and is of use with this store only.
  public struct Cursor: Hashable, Sendable, Codable, RawRepresentable {
    /// `nil` before the first change of any store.
    package let store: StoreIdentity?
    package let watermark: Watermark

    package init(_ watermark: Watermark, of store: StoreIdentity) {
      self.store = watermark == .beginning ? nil : store
      self.watermark = watermark
    }

    /// Before the first change.
    public static let beginning = Cursor(beginning: ())

    private init(beginning: Void) {
      store = nil
      watermark = .beginning
    }

    /// `nil` for a text that is no cursor.
    public init?(rawValue: String) {
      if rawValue == Self.beginning.rawValue {
        self = .beginning
        return
      }
      let parts = rawValue.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 3, parts[0].utf8.count == 32, parts[0].utf8.allSatisfy(Self.isDigit),
        parts[2].utf8.count == 16,
        parts[2].utf8.allSatisfy(Self.isDigit), let revision = Int64(parts[1]), revision > 0,
        let nonce = UInt64(parts[2], radix: 16)
      else { return nil }
      store = StoreIdentity(rawValue: String(parts[0]))
      watermark = Watermark(revision: revision, nonce: Int64(bitPattern: nonce))
      guard self.rawValue == rawValue else { return nil }
    }

    public var rawValue: String {
      guard let store else { return "beginning" }
      let nonce = String(UInt64(bitPattern: watermark.nonce), radix: 16)
      return "\(store.rawValue).\(watermark.revision).\(String(repeating: "0", count: 16 - nonce.count))\(nonce)"
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
  }
}

/// A section of the change feed for those who watch it.
package struct WatchedChanges: Sendable {
  /// Before the changes; then they begin with the oldest that is kept.
  package let gap: MemoryChange.Gap?
  package let changes: [MemoryChange]
  /// The place after all changes that were examined, those of other domains included.
  package let end: Watermark
  /// Whether it ends at the last commit.
  package let isComplete: Bool

  package init(gap: MemoryChange.Gap?, changes: [MemoryChange], end: Watermark, isComplete: Bool) {
    self.gap = gap
    self.changes = changes
    self.end = end
    self.isComplete = isComplete
  }
}
