/// A place in the primary's history: the last committed change of a snapshot.
public struct Watermark: Hashable, Sendable {
  /// Grows with every change; 0 before the first.
  public let revision: Int64
  /// Tells two histories apart that share a revision, such as that of a restored backup.
  public let nonce: Int64

  package init(revision: Int64, nonce: Int64) {
    self.revision = revision
    self.nonce = nonce
  }

  /// Before the first change.
  package static let beginning = Watermark(revision: 0, nonce: 0)
}

/// One row of the change feed.
package struct Change: Hashable, Sendable {
  package enum Subject: String, Sendable { case episode, pattern, embedding }

  package let revision: Int64
  package let subject: Subject
  /// Episode id; pattern `type:hash`; embedding id.
  package let key: String
  /// The domain of the episode; `nil` if there is none or it is not known.
  package let domain: String?
  /// Whether default recall could see the subject before or after the change.
  package let finished: Bool
  /// Row of the episode or embedding; `nil` for patterns, and in a feed from before it had rows.
  package let row: Int64?
  /// Row of the step that was added, changed or deleted; `allSteps` if the episode was deleted with its steps; `nil` if the
  /// change is not about steps.
  package let step: Int64?

  package static let allSteps: Int64 = 0

  package init(
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

/// A section of the change feed, in order.
package struct ChangeBatch: Sendable {
  /// The watermark that was given; `nil` if there was none.
  package let asked: Watermark?
  /// Whether that watermark is part of this history; if not, everything derived must be removed.
  package let continues: Bool
  /// Empty if the history does not continue.
  package let changes: [Change]
  /// The watermark after the last of the changes.
  package let end: Watermark
  /// Whether it ends at the last commit.
  package let isComplete: Bool

  package init(asked: Watermark?, continues: Bool, changes: [Change], end: Watermark, isComplete: Bool) {
    self.asked = asked
    self.continues = continues
    self.changes = changes
    self.end = end
    self.isComplete = isComplete
  }
}

/// Names a primary, wherever its file lies.
package struct StoreIdentity: RawRepresentable, Hashable, Sendable {
  /// 32 hexadecimal digits, chosen at random when the primary was created.
  package let rawValue: String
  package init(rawValue: String) { self.rawValue = rawValue }
}

/// A value that was read, and the last change of its snapshot.
package struct Versioned<Value> {
  package let value: Value
  package let asOf: Watermark
  /// Whether it may be kept in a file that is derived from the primary: not if it is of an encrypted domain.
  package let isCacheable: Bool

  package init(_ value: Value, asOf: Watermark, isCacheable: Bool = true) {
    self.value = value
    self.asOf = asOf
    self.isCacheable = isCacheable
  }
}

extension Versioned: Sendable where Value: Sendable {}
