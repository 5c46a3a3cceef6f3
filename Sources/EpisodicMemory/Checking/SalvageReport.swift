/// What `Memory.salvage` brought from a damaged store into a new one, and what was lost.
public struct SalvageReport: Hashable, Sendable, Codable {
  /// The rows of one table.
  public struct Table: Hashable, Sendable, Codable {
    /// As in the schema: `episodes`, `steps`, `embeddings`, `patterns`, `episode_patterns`, ...
    public let name: String
    /// Rows that are in the new store.
    public var salvaged = 0
    /// Rows whose episode, step or pattern is lost, and steps whose text was changed: the new store keeps them as JSON in its table `orphans_kept`, and no verb
    /// shows them.
    public var setAside = 0
    /// Rows that could be read and break a rule of the new store, or whose id another row has.
    public var refused = 0
    /// Rows of which only a part could be read.
    public var unreadable = 0
    /// Whether the way to the rows was whole, so that none was missed: what is lost is then counted above.
    public var isComplete = true

    package init(_ name: String) { self.name = name }

    enum CodingKeys: String, CodingKey {
      case name, salvaged, refused, unreadable
      case setAside = "set_aside"
      case isComplete = "complete"
    }
  }

  /// One thing that was lost or is doubtful.
  public struct Loss: Hashable, Sendable, Codable {
    /// The table; `nil` if nobody can tell.
    public let table: String?
    /// What and why, in words. Never a text of a row.
    public let reason: String

    package init(table: String?, reason: String) {
      self.table = table
      self.reason = reason
    }
  }

  /// The largest number of losses that are listed; all are counted.
  public static let maximumListed = 1000

  /// The directory of the damaged store.
  public let source: String
  /// The directory of the new one.
  public let target: String
  /// Bytes of a page.
  public internal(set) var pageSize = 0
  /// Pages of the database.
  public internal(set) var pages = 0
  /// Pages that could not be read.
  public internal(set) var lostPages = 0
  /// Frames of the write-ahead log that belong to the content.
  public internal(set) var logFrames = 0
  /// Frames that do not: never committed, or damaged.
  public internal(set) var unusedLogFrames = 0
  /// In the order of their names.
  public internal(set) var tables: [Table] = []
  /// What was lost, at most `maximumListed`.
  public internal(set) var losses: [Loss] = []
  /// How much was lost, listed or not.
  public internal(set) var lossCount = 0
  /// Rows whose text was changed: what is kept beside it was made of another text. Such a step is set aside and such a pattern
  /// refused; such an episode is in the new store, since its steps belong to it. Each is among the losses.
  public internal(set) var doubtful = 0
  /// Checks of the new store that did not pass; empty if it is sound.
  public internal(set) var failedChecks: [String] = []

  package init(source: String, target: String) {
    self.source = source
    self.target = target
  }

  /// Whether every row that was there is in the new store, as far as that can be known.
  public var isComplete: Bool { lossCount == 0 && tables.allSatisfy(\.isComplete) }

  enum CodingKeys: String, CodingKey {
    case source, target, pages, tables, losses, doubtful
    case pageSize = "page_size"
    case lostPages = "lost_pages"
    case logFrames = "log_frames"
    case unusedLogFrames = "unused_log_frames"
    case lossCount = "loss_count"
    case failedChecks = "failed_checks"
  }
}

extension SalvageReport {
  package mutating func describeFile(
    pageSize: Int, pages: Int, lostPages: Int, logFrames: Int, unusedLogFrames: Int
  ) {
    self.pageSize = pageSize
    self.pages = pages
    self.lostPages = lostPages
    self.logFrames = logFrames
    self.unusedLogFrames = unusedLogFrames
  }

  package mutating func add(_ table: Table) { tables.append(table) }

  package mutating func add(_ loss: Loss) {
    lossCount += 1
    if losses.count < Self.maximumListed { losses.append(loss) }
  }

  package mutating func addDoubtful(_ loss: Loss) {
    doubtful += 1
    add(loss)
  }

  package mutating func setFailedChecks(_ checks: [MemoryCheck]) {
    failedChecks = checks.compactMap { check in
      switch check.outcome {
      case .passed: nil
      case .failed(let reason), .damaged(let reason): "\(check.name): \(reason)"
      }
    }
  }
}

/// How far a salvage is.
public struct SalvageProgress: Hashable, Sendable {
  /// `pages`, or the table whose rows are brought over.
  public let stage: String
  /// In pages.
  public let done: Int
  /// Pages in all.
  public let total: Int

  package init(stage: String, done: Int, total: Int) {
    self.stage = stage
    self.done = done
    self.total = total
  }
}
