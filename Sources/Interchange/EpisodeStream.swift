import FileLocks
import EpisodicMemory
import Synchronization

/// The episodes of several files, line by line, each with its vector.
struct EpisodeStream {
  struct Content {
    let episode: Episode
    let vector: [Float]?
    /// Characters that were repaired.
    let repairs: Int
  }

  struct Entry {
    let file: String
    let line: Int
    /// Length of the line in bytes.
    let bytes: Int
    let content: Result<Content, MemoryError>
    /// Whether the line exceeds the allowed length, and the rest of it has not been read.
    let isCutOff: Bool

    func rejected(_ error: MemoryError) -> RejectedLine { RejectedLine(file: file, line: line, reason: error.message) }
  }

  private let inputs: [OpenInput]
  private let vectors: VectorFile?
  private let options: ImportOptions
  private let limits: Memory.Limits
  private let now: Timestamp
  private var file = 0
  private var reader: LineReader
  private var bytesOfFilesDone: Int64 = 0
  /// The first place of each id, to reject duplicates.
  private var places: [Episode.ID: (file: Int, line: Int)] = [:]
  /// Lines read; the row of the next one.
  private(set) var lines = 0
  /// Whether every line of every file has been read.
  private(set) var isAtEnd = false

  /// - Parameter inputs: At least one.
  init?(
    _ inputs: [OpenInput], vectors: VectorFile?, options: ImportOptions, limits: Memory.Limits, now: Timestamp
  ) {
    guard let first = inputs.first else { return nil }
    self.inputs = inputs
    self.vectors = vectors
    self.options = options
    self.limits = limits
    self.now = now
    reader = LineReader(first, maximumBytes: options.maximumLineBytes)
  }

  /// Bytes of the lines read so far, over all files.
  var bytesRead: Int64 { bytesOfFilesDone + reader.bytesRead }

  /// The next line that is not blank; `nil` after the last file.
  ///
  /// - Throws: `.unavailable` if a file cannot be read.
  mutating func next() throws(MemoryError) -> Entry? {
    while true {
      let read: Result<LineReader.Line, MemoryError>
      do throws(MemoryError) {
        guard let line = try reader.next() else {
          isAtEnd = !advance()
          if isAtEnd { return nil }
          continue
        }
        read = .success(line)
      } catch let error where error.code.isOfInput {
        read = .failure(error)
      }
      let row = lines
      lines += 1
      return Entry(
        file: reader.input.name, line: reader.number, bytes: (try? read.get().bytes.count) ?? 0,
        content: Result { () throws(MemoryError) in try parse(read.get(), row: row) },
        isCutOff: reader.isInsideLongLine)
    }
  }

  /// Counts the lines of all files that are not blank.
  ///
  /// - Throws: `.invalid` for a line that is too long, unless `options.keepGoing`.
  static func countLines(_ inputs: [OpenInput], _ options: ImportOptions) throws(MemoryError) -> Int {
    var count = 0
    for input in inputs {
      var reader = LineReader(input, maximumBytes: options.maximumLineBytes)
      while true {
        do throws(MemoryError) {
          guard try reader.next() != nil else { break }
        } catch let error where error.code.isOfInput {
          guard options.keepGoing else { throw error.located(at: "\(input.name):\(reader.number)") }
          // The import rejects this line, but it has a row of vectors and counts.
        }
        count += 1
      }
    }
    return count
  }

  private mutating func advance() -> Bool {
    guard file + 1 < inputs.count else { return false }
    bytesOfFilesDone += reader.bytesRead
    file += 1
    reader = LineReader(inputs[file], maximumBytes: options.maximumLineBytes)
    return true
  }

  private mutating func parse(_ line: LineReader.Line, row: Int) throws(MemoryError) -> Content {
    let read = try EpisodeLine(line.bytes, repair: options.repair ? .applied : .offered)
    let episode = try read.episode(limits: limits, now: now)
    if let first = places[episode.id] {
      throw MemoryError(
        .invalid,
        "id \"\(episode.id)\" is used twice, first in \(inputs[first.file].name):\(first.line); keep one of them")
    }
    let vector = try vectors?.row(row)
    places[episode.id] = (file, line.number)
    return Content(episode: episode, vector: vector, repairs: read.repairs)
  }
}

/// Reads and parses the lines of an import in portions, on a thread of `BlockingWork`.
final class EpisodeReader: Sendable {
  /// Consecutive lines.
  struct Portion: Sendable {
    var entries: [EpisodeStream.Entry] = []
    /// Bytes read up to the end of this portion, over all files.
    var bytesRead: Int64 = 0
    /// Lines read up to the end of this portion.
    var lines = 0
    /// Whether the last line of the last file has been read.
    var isLast = false
  }

  /// A portion ends after this many lines or bytes, whichever comes first: a few milliseconds of parsing.
  private static let portionLines = 64
  private static let portionBytes = 1 << 20

  private let stream: Mutex<EpisodeStream>

  init(_ stream: EpisodeStream) { self.stream = Mutex(stream) }

  /// The next lines; empty after the last. A portion ends with a line that is cut off, since the rest of that line may not
  /// end.
  ///
  /// - Throws: `.unavailable` if a file cannot be read, `.cancelled`.
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
