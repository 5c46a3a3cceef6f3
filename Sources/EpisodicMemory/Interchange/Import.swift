/// How to import.
public struct ImportOptions: Hashable, Sendable {
  public var existing: Episode.ExistingPolicy
  /// Whether bad lines are left out and the rest is imported; otherwise one bad line keeps everything out.
  public var keepGoing: Bool
  /// Whether characters that cannot be stored (half of a surrogate pair, NUL, bytes that are not UTF-8) are replaced by
  /// U+FFFD and counted; otherwise their line is bad.
  public var repair: Bool
  /// A longer line is bad, and is not read to its end. A line takes about ten times its bytes of memory.
  public var maximumLineBytes: Int

  public init(
    existing: Episode.ExistingPolicy = .fail, keepGoing: Bool = false, repair: Bool = false,
    maximumLineBytes: Int = 16 << 20
  ) {
    self.existing = existing
    self.keepGoing = keepGoing
    self.repair = repair
    self.maximumLineBytes = maximumLineBytes
  }
}

/// How far an import has got.
public struct ImportProgress: Hashable, Sendable {
  public enum Stage: String, Sendable { case checking, storing }

  public let stage: Stage
  /// Bytes of all files, 0 while a pipe among them has not ended; and how many of them this stage has behind it.
  public let bytes: Int64, bytesDone: Int64
  /// Lines this stage has behind it, blank ones not counted.
  public let lines: Int
}

/// A line of a file that something is wrong with, and what: `runs.jsonl:12: steps[3].duration_ms is -5; …`.
public struct RejectedLine: Hashable, Sendable, CustomStringConvertible {
  public let file: String
  /// Counted from 1.
  public let line: Int
  /// Names field, value and remedy.
  public let reason: String

  public var description: String { "\(file):\(line): \(reason)" }
}

/// What an import did.
public struct ImportReport: Hashable, Sendable {
  /// Episodes inserted or replaced.
  public internal(set) var imported = 0
  /// Episodes left alone because their ids were there.
  public internal(set) var skipped = 0
  /// Steps and vectors of the files that were stored; those of skipped episodes are not.
  public internal(set) var steps = 0
  public internal(set) var vectors = 0
  /// Vectors that were there before, of episodes that were replaced: those that stayed, because the text they were made
  /// from did, and those that went with it.
  public internal(set) var keptVectors = 0
  public internal(set) var droppedVectors = 0
  /// Characters that U+FFFD was put in the place of, and lines they are in.
  public internal(set) var repairedCharacters = 0
  public internal(set) var repairedLines = 0
  /// In the order of the files; empty unless the import kept going.
  public internal(set) var rejected: [RejectedLine] = []
}

/// The cause of the error of an import that stored nothing: the bad lines, in the order of the files.
public struct RejectedLines: Error, CustomStringConvertible {
  /// After so many the rest of the lines is not looked at.
  static let maximumCount = 20

  public let lines: [RejectedLine]

  public var description: String { lines.map(\.description).joined(separator: "\n") }
}
