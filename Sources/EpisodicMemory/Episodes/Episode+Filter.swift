extension Episode {
  /// Which episodes to look at, within a scope; the default lets every one pass.
  public struct Filter: Hashable, Sendable {
    public var session: String?
    public var taskType: TaskType?
    /// `nil`: all when listing; completed and failed when recalling.
    public var statuses: Set<Status>?
    /// Created at or after.
    public var after: Timestamp?
    /// Created before.
    public var before: Timestamp?

    public init(
      session: String? = nil, taskType: TaskType? = nil, statuses: Set<Status>? = nil, after: Timestamp? = nil,
      before: Timestamp? = nil
    ) {
      self.session = session?.canonicallyComposed
      self.taskType = taskType
      self.statuses = statuses
      self.after = after
      self.before = before
    }

    func admits(_ episode: Episode) -> Bool {
      (session ?? episode.session) == episode.session && (taskType ?? episode.taskType) == episode.taskType
        && statuses?.contains(episode.status) ?? true && after.map { episode.createdAt >= $0 } ?? true
        && before.map { episode.createdAt < $0 } ?? true
    }
  }
}

/// How far a question may look: the caller always says, so that nothing leaves its domain by default (I8).
public enum Scope: Hashable, Sendable {
  case domain(String)
  case everything

  func includes(_ domain: String) -> Bool {
    switch self {
    case .domain(let wanted): wanted.canonicallyComposed == domain
    case .everything: true
    }
  }
}

/// A part of an ordered list and the way to the next part.
public struct Page<Element: Sendable>: Sendable {
  public let elements: [Element]
  /// Give it back to go on; `nil` at the end.
  public let next: PageCursor?

  public init(elements: [Element], next: PageCursor?) {
    self.elements = elements
    self.next = next
  }
}

/// A place in a list, newest first, that stays put while episodes come and go.
public struct PageCursor: RawRepresentable, Hashable, Sendable {
  /// Creation time in milliseconds and row, as `1767225600000-42`.
  public let rawValue: String
  package let createdAt: Int64
  package let row: Int64

  package init(createdAt: Int64, row: Int64) {
    self.createdAt = createdAt
    self.row = row
    rawValue = "\(createdAt)-\(row)"
  }

  public init?(rawValue: String) {
    guard let dash = rawValue.lastIndex(of: "-"), dash != rawValue.startIndex,
      let createdAt = Int64(rawValue[..<dash]), let row = Int64(rawValue[rawValue.index(after: dash)...])
    else { return nil }
    self.init(createdAt: createdAt, row: row)
  }
}
