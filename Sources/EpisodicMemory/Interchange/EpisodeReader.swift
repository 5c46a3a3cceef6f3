import Synchronization

/// The lines of an import, read and parsed some at a time on a thread for work that takes long.
final class EpisodeReader: Sendable {
  /// Some lines, in order.
  struct Portion: Sendable {
    var entries: [EpisodeStream.Entry] = []
    /// How far into the files these and all before reach.
    var bytesRead: Int64 = 0
    /// How many there were, with all before.
    var lines = 0
    /// Whether the last line of the last file has been read.
    var isLast = false
  }

  /// A portion has this many lines or bytes of lines, whichever is reached first: a few milliseconds of parsing.
  private static let portionLines = 64
  private static let portionBytes = 1 << 20

  private let stream: Mutex<EpisodeStream>

  init(_ stream: EpisodeStream) { self.stream = Mutex(stream) }

  /// The next lines; none behind the last. A portion ends with a line that is cut off: what follows it may have no end.
  ///
  /// - Throws: `.unavailable` where a file cannot be read, `.cancelled`.
  func next() async throws(MemoryError) -> Portion {
    try await BlockingWork.shared.run { () throws(MemoryError) in
      try self.stream.withLock { stream throws(MemoryError) in
        var portion = Portion()
        var bytes = 0
        while portion.entries.count < Self.portionLines, bytes < Self.portionBytes {
          guard let entry = try stream.next() else { break }
          portion.entries.append(entry)
          bytes += entry.bytes
          if entry.isCutOff { break }
        }
        (portion.bytesRead, portion.lines, portion.isLast) = (stream.bytesRead, stream.lines, stream.isAtEnd)
        return portion
      }
    }
  }
}
