import Foundation

/// Reads a file line by line in constant memory.
///
/// A byte order mark at the beginning, carriage returns before line ends, and blank lines are passed over.
struct LineReader {
  /// Longer lines are refused: they are what a file that is not JSON Lines looks like, and would be held in memory.
  static let maximumBytes = 64 << 20
  private static let chunkBytes = 1 << 18

  struct Line {
    /// Counted from 1, blank lines included.
    let number: Int
    /// Without its end.
    let bytes: [UInt8]
  }

  let input: OpenInput
  /// The line that was read last.
  private(set) var number = 0
  private let maximumBytes: Int
  private var buffer: [UInt8] = []
  /// Of `buffer`, what has been handed out.
  private var consumed = 0
  /// Where in the file the buffer ends.
  private var offset: Int64 = 0
  private var isAtEnd = false

  init(_ input: OpenInput, maximumBytes: Int = Self.maximumBytes) {
    self.input = input
    self.maximumBytes = maximumBytes
  }

  /// How far into the file the lines read so far reach, in bytes.
  var bytesRead: Int64 { offset - Int64(buffer.count - consumed) }

  /// The next line that is not blank; `nil` at the end.
  ///
  /// - Throws: `.invalid` for a line that is too long, after which the next call goes on with the line behind it;
  ///   `.unavailable` where the file cannot be read.
  mutating func next() throws(MemoryError) -> Line? {
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
      if let end = newline(from: searched) {
        defer { consumed = end + 1 }
        return line(consumed..<end)
      }
      searched = buffer.count
      guard !isAtEnd else {
        defer { consumed = buffer.count }
        return consumed < buffer.count ? line(consumed..<buffer.count) : nil
      }
      guard buffer.count - consumed <= maximumBytes else {
        try skipLine()
        number += 1
        throw MemoryError(
          .invalid, "the line is longer than \(maximumBytes) bytes; write one JSON object a line, each in UTF-8")
      }
      searched -= consumed
      try fill()
    }
  }

  /// Reads another chunk behind what is not handed out yet, which moves to the front of the buffer.
  private mutating func fill() throws(MemoryError) {
    buffer.removeSubrange(..<consumed)
    consumed = 0
    let kept = buffer.count
    // Grows with the line, so that a long one is not moved once for each chunk of it.
    let wanted = max(Self.chunkBytes, kept)
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
    while true {
      consumed = buffer.count
      guard !isAtEnd else { return }
      try fill()
      if let end = newline(from: 0) {
        consumed = end + 1
        return
      }
    }
  }

  private func newline(from start: Int) -> Int? {
    guard start < buffer.count else { return nil }
    return buffer.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress,
        let found = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start)
      else { return nil }
      return UnsafeRawPointer(found) - base
    }
  }

  private mutating func line(_ range: Range<Int>) -> [UInt8] {
    var bytes = buffer[range]
    number += 1
    if number == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    return Array(bytes)
  }
}
