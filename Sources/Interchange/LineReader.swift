package import EpisodicMemory

/// Reads a file line by line in constant memory.
///
/// Byte order marks before lines, carriage returns before newlines, and blank lines are skipped.
package struct LineReader {
  /// Longer lines are rejected unless the caller allows them: most likely the file is not JSON Lines, and parsing holds
  /// several copies of a line in memory.
  package static let defaultMaximumBytes = ImportOptions().maximumLineBytes
  private static let chunkBytes = 1 << 18

  package struct Line {
    /// Counted from 1, blank lines included.
    package let number: Int
    /// Without its newline.
    package let bytes: [UInt8]
  }

  package let input: OpenInput
  /// Number of the line that was read last.
  package private(set) var number = 0
  private let maximumBytes: Int
  private var buffer: [UInt8] = []
  /// Bytes of `buffer` that have been returned.
  private var consumed = 0
  /// File offset of the end of `buffer`.
  private var offset: Int64 = 0
  private var isAtEnd = false
  /// Whether the line that was read last was too long, so that the file position is inside it.
  private(set) var isInsideLongLine = false

  package init(_ input: OpenInput, maximumBytes: Int = Self.defaultMaximumBytes) {
    self.input = input
    self.maximumBytes = maximumBytes
  }

  /// Bytes of the lines read so far.
  package var bytesRead: Int64 { offset - Int64(buffer.count - consumed) }

  /// The next line that is not blank; `nil` at the end.
  ///
  /// - Throws: `.invalid` for a line that is too long, as soon as the limit is reached; the next call skips the rest of it
  ///   and returns the line after it. `.unavailable` if the file cannot be read.
  package mutating func next() throws(MemoryError) -> Line? {
    if isInsideLongLine { try skipLine() }
    while let bytes = try nextLine() {
      guard bytes.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) else {
        return Line(number: number, bytes: bytes)
      }
    }
    return nil
  }

  private mutating func nextLine() throws(MemoryError) -> [UInt8]? {
    var searched = consumed
    while true {
      if let end = buffer.firstNewline(in: searched..<buffer.count), end - consumed <= maximumBytes {
        defer { consumed = end + 1 }
        return line(consumed..<end)
      }
      guard buffer.count - consumed <= maximumBytes else {
        isInsideLongLine = true
        number += 1
        throw MemoryError(
          .invalid,
          "the line is longer than \(maximumBytes) bytes; write one JSON object a line, or raise maximumLineBytes"
        )
      }
      guard !isAtEnd else {
        defer { consumed = buffer.count }
        return consumed < buffer.count ? line(consumed..<buffer.count) : nil
      }
      searched = buffer.count - consumed
      try fill()
    }
  }

  /// Moves what has not been returned to the front of the buffer and reads another chunk behind it.
  private mutating func fill() throws(MemoryError) {
    buffer.removeSubrange(..<consumed)
    consumed = 0
    let kept = buffer.count
    // Doubles with a long line, so that it is not moved once for each chunk; not beyond the limit.
    let wanted = max(Self.chunkBytes, min(kept, maximumBytes - kept + 1))
    buffer.append(contentsOf: repeatElement(0, count: wanted))
    let input = input, offset = offset
    let got: Result<Int, MemoryError> = buffer.withUnsafeMutableBytes { bytes in
      Result { () throws(MemoryError) in
        try input.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[kept...]), at: offset)
      }
    }
    let count = try got.get()
    buffer.removeLast(wanted - count)
    self.offset += Int64(count)
    isAtEnd = count < wanted
  }

  private mutating func skipLine() throws(MemoryError) {
    isInsideLongLine = false
    if let end = buffer.firstNewline(in: consumed..<buffer.count) {
      consumed = end + 1
      return
    }
    buffer = []
    consumed = 0
    offset = try input.endOfLine(from: offset)
    isAtEnd = false
  }

  private mutating func line(_ range: Range<Int>) -> [UInt8] {
    var bytes = buffer[range]
    number += 1
    // Not only at the beginning: `cat` of several files leaves a mark before the first line of each.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    return Array(bytes)
  }
}
