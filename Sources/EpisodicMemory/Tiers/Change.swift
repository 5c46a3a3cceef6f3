/// A place in the primary's history: the last committed change of a snapshot.
public struct Watermark: Hashable, Sendable {
  /// Grows with every change; 0 before the first.
  public let revision: Int64
  /// Tells two histories apart that share a revision, such as a restored backup that went on.
  public let nonce: Int64

  public init(revision: Int64, nonce: Int64) {
    self.revision = revision
    self.nonce = nonce
  }

  /// Before the first change.
  public static let beginning = Watermark(revision: 0, nonce: 0)
}

/// One row of the change feed.
public struct Change: Hashable, Sendable {
  public enum Subject: String, Sendable { case episode, pattern, embedding }

  public let revision: Int64
  public let subject: Subject
  /// Episode id; pattern `type:hash`; embedding id.
  public let key: String
  /// The domain of the episode; `nil` where it has none or is not known.
  public let domain: String?
  /// Whether default recall could see the subject before or after the change.
  public let finished: Bool
  /// Row of the episode or embedding; `nil` for patterns, and in a feed from before there were rows in it.
  public let row: Int64?
  /// Row of the step, where it is a step of the episode that came, changed or went; `allSteps` where the episode went
  /// with all of them; `nil` where the change is not about steps.
  public let step: Int64?

  public static let allSteps: Int64 = 0

  public init(
    revision: Int64, subject: Subject, key: String, domain: String?, finished: Bool, row: Int64? = nil,
    step: Int64? = nil
  ) {
    self.revision = revision
    self.subject = subject
    self.key = key
    self.domain = domain
    self.finished = finished
    self.row = row
    self.step = step
  }
}

/// A stretch of the change feed, in order.
public struct ChangeBatch: Sendable {
  /// Where the asker was; `nil` where it could not say.
  public let asked: Watermark?
  /// Whether the place asked for is part of this history; if not, everything derived must go.
  public let continues: Bool
  /// None of them where the history does not continue.
  public let changes: [Change]
  /// Where it ends.
  public let end: Watermark
  /// Whether it ends at the last commit.
  public let isComplete: Bool

  public init(asked: Watermark?, continues: Bool, changes: [Change], end: Watermark, isComplete: Bool) {
    self.asked = asked
    self.continues = continues
    self.changes = changes
    self.end = end
    self.isComplete = isComplete
  }
}

/// Which primary it is, wherever its file lies.
public struct StoreIdentity: RawRepresentable, Hashable, Sendable {
  /// 32 hexadecimal digits, chosen at random when the primary was made.
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }
}

/// A moment in the life of the primary: two are equal only if no commit, by any process, lies between them.
///
/// That holds among stamps taken while one process has the store open, so each process compares the cache with the
/// change feed once before it relies on stamps (see `FreshnessGate`).
public struct CommitStamp: Hashable, Sendable {
  public let words: InlineArray<8, UInt64>
  public init(_ words: InlineArray<8, UInt64>) { self.words = words }

  public static func == (a: Self, b: Self) -> Bool {
    var differences: UInt64 = 0
    for index in 0..<8 { differences |= a.words[index] ^ b.words[index] }
    return differences == 0
  }

  public func hash(into hasher: inout Hasher) {
    for index in 0..<8 { hasher.combine(words[index]) }
  }
}

/// What was read, and the last change it can know of.
public struct Versioned<Value> {
  public let value: Value
  public let asOf: Watermark

  public init(_ value: Value, asOf: Watermark) {
    self.value = value
    self.asOf = asOf
  }
}

extension Versioned: Sendable where Value: Sendable {}
