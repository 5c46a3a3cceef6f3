public import EpisodicMemory

/// How to import.
public struct ImportOptions: Hashable, Sendable {
  /// What becomes of an episode whose id exists.
  public var existing: Episode.ExistingPolicy
  /// Whether bad lines are left out and the rest is imported; otherwise one bad line keeps everything out.
  public var keepGoing: Bool
  /// Whether characters that cannot be stored (half of a surrogate pair, NUL, bytes that are not UTF-8) are replaced by
  /// U+FFFD and counted; otherwise their line is bad.
  public var repair: Bool
  /// A longer line is bad, and is not read to its end. Importing a line takes about ten times its bytes of memory.
  public var maximumLineBytes: Int
  /// The source of episodes that name none; no episode is trusted more than it.
  public var source: Provenance.Source?
  /// The id of the source of episodes that name none.
  public var sourceID: String?
  /// No episode is trusted more; `nil`: as the source is, or as the lines say.
  public var maximumTrust: Trust?

  /// The defaults reject what exists and what is bad, and change nothing.
  public init(
    existing: Episode.ExistingPolicy = .fail, keepGoing: Bool = false, repair: Bool = false,
    maximumLineBytes: Int = 16 << 20, source: Provenance.Source? = nil, sourceID: String? = nil,
    maximumTrust: Trust? = nil
  ) {
    self.source = source
    self.sourceID = sourceID?.canonicallyComposed
    self.maximumTrust = maximumTrust
    self.existing = existing
    self.keepGoing = keepGoing
    self.repair = repair
    self.maximumLineBytes = maximumLineBytes
  }
}

extension ImportOptions {
  /// The episode as it is imported: with the source that is given if it names none, and no more trust than is given.
  package func sourced(_ episode: Episode) -> Episode {
    guard source != nil || sourceID != nil || maximumTrust != nil else { return episode }
    var episode = episode
    if episode.provenance.source == nil { episode.provenance.source = source }
    if episode.provenance.sourceID == nil { episode.provenance.sourceID = sourceID }
    guard let most = maximumTrust ?? source?.defaultTrust else { return episode }
    episode.provenance = episode.provenance.trusted(atMost: most)
    for index in episode.steps.indices where episode.steps[index].provenance.trust ?? .quarantined > most {
      episode.steps[index].provenance.trust = most
    }
    return episode
  }
}

/// The progress of an import.
public struct ImportProgress: Hashable, Sendable {
  /// An import reads its files twice: it checks every line, then it stores.
  public enum Stage: String, Sendable {
    /// Every line is read and checked; nothing is stored yet.
    case checking
    /// The lines are read again and stored.
    case storing
  }

  /// What it is doing.
  public let stage: Stage
  /// Bytes of all files, 0 until every pipe among them has ended; and the bytes that this stage has processed.
  public let bytes: Int64, bytesDone: Int64
  /// Lines that this stage has processed, blank ones not counted.
  public let lines: Int
}

/// A line of a file that was rejected, and the reason: `runs.jsonl:12: steps[3].duration_ms is -5; …`.
public struct RejectedLine: Hashable, Sendable, CustomStringConvertible {
  /// The file's name as it was given.
  public let file: String
  /// Counted from 1.
  public let line: Int
  /// Names field, value and remedy.
  public let reason: String

  public var description: String { "\(file):\(line): \(reason)" }
}

/// The result of an import.
public struct ImportReport: Hashable, Sendable {
  /// Episodes inserted or replaced.
  public internal(set) var imported = 0
  /// Episodes not imported because their ids exist.
  public internal(set) var skipped = 0
  /// Steps and vectors stored; those of skipped episodes are not counted.
  public internal(set) var steps = 0
  /// Vectors stored; those of skipped episodes are not counted.
  public internal(set) var vectors = 0
  /// Earlier vectors of replaced episodes: kept, because the text they were made from is unchanged, or dropped with it.
  public internal(set) var keptVectors = 0
  /// Earlier vectors of replaced episodes that were dropped with their text.
  public internal(set) var droppedVectors = 0
  /// Characters replaced by U+FFFD, and the lines that contain them.
  public internal(set) var repairedCharacters = 0
  /// Lines with such characters.
  public internal(set) var repairedLines = 0
  /// In the order of the files; empty unless `ImportOptions.keepGoing`.
  public internal(set) var rejected: [RejectedLine] = []
}

/// The cause of the error of an import that stored nothing: the bad lines, in the order of the files.
public struct RejectedLines: Error, CustomStringConvertible {
  /// After this many bad lines the check stops.
  static let maximumCount = 20

  /// The bad lines, in the order of the files.
  public let lines: [RejectedLine]

  public var description: String { lines.map(\.description).joined(separator: "\n") }
}
