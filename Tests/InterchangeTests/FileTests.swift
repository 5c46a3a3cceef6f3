import EpisodicMemory
import Foundation
import TestSupport
import Testing

@testable import Interchange

@Suite struct `Files of lines` {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test func `byte order marks, carriage returns and blank lines are skipped, and blank lines count as lines`() throws {
    let lines = try readAll("\u{FEFF}a\r\n\r\n \t\n\u{FEFF}b\r\n\u{FEFF}\nc")
    #expect(lines.map(\.text) == ["a", "b", "c"])
    #expect(lines.map(\.number) == [1, 4, 6])
  }

  @Test(arguments: ["", "\n", "\u{FEFF}", "\r\n\r\n"]) func `a file without a line is empty`(text: String) throws {
    #expect(try readAll(text).isEmpty)
  }

  @Test func `lines longer than one chunk are read whole`() throws {
    let lengths = [1, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, 3 << 18, 0, 5]
    let lines = try readAll(lengths.map { String(repeating: "x", count: $0) }.joined(separator: "\n"))
    #expect(lines.map(\.text.utf8.count) == lengths.filter { $0 > 0 })
  }

  @Test func `a line over the limit is rejected, and the next one is read`() throws {
    let path = try file("a\n\(String(repeating: "x", count: 600_000))\nb\n")
    var reader = LineReader(try OpenInput(.file(path)), maximumBytes: 100_000)
    #expect(try reader.next()?.number == 1)
    let error = try #require(throws: MemoryError.self) { try reader.next() }
    #expect(error.code == .invalid && error.message.contains("100000"))
    #expect(reader.number == 2)
    let last = try reader.next()
    #expect(last?.number == 3 && last?.bytes == [UInt8(ascii: "b")])
    #expect(try reader.next() == nil)
  }

  @Test func `a pipe is read at most to the end of a rejected line, and a skipped line is not stored`() throws {
    let pipe = try ScratchPipe(directory.file("fifo"))
    let writer = pipe.write([
      Array("a\n".utf8), [UInt8](repeating: 0x78, count: 8 << 20), Array("\nb\n\nc".utf8),
    ])
    let input = try OpenInput(.file(pipe.path))
    for pass in 0..<2 {
      var reader = LineReader(input, maximumBytes: 1 << 20)
      #expect(try reader.next()?.number == 1)
      #expect(throws: MemoryError.self) { try reader.next() }
      if pass == 0 { #expect(input.size == nil, "most of the line is not read yet") }
      #expect(try reader.next().map { String(decoding: $0.bytes, as: UTF8.self) } == "b")
      #expect(try reader.next()?.number == 5)
      #expect(try reader.next() == nil)
    }
    let size: Int64? = 2 + 8_388_608 + 5
    #expect(input.size == size)
    writer.join()
  }

  @Test func `vectors from an endless pipe are counted at most to the first row too many`() throws {
    let vectors = try VectorFile(VectorSource(.file("/dev/zero"), model: "m", dimensions: 3), limits: Memory.Limits())
    let error = try #require(throws: MemoryError.self) { try vectors.require(rows: 2, for: "episodes") }
    #expect(error.code == .invalid && error.message.contains("more than 2 rows"))
  }

  @Test func `a missing file is named in the error`() throws {
    let error = try #require(throws: MemoryError.self) { try OpenInput(.file("/nowhere/runs.jsonl")) }
    #expect(error.code == .invalid && error.message.contains("/nowhere/runs.jsonl"))
  }

  // MARK: Vectors

  @Test func `rows are read back bit for bit`() throws {
    let rows: [[Float]] = [[1, 0, -2.5], [.leastNonzeroMagnitude, 3, 1e30]]
    let vectors = try open(rows.flatMap(\.self), dimensions: 3)
    try vectors.require(rows: 2, for: "episodes")
    #expect(try vectors.row(0) == rows[0])
    #expect(try vectors.row(1) == rows[1])
  }

  @Test(
    arguments: [
      ([1, 2, 3, 4, 5], "20 bytes"), ([1, 2, 3, .nan, 5, 6], "row 2"), ([1, 2, 3, 4, .infinity, 6], "row 2"),
      ([1, 2, 3, 0, 0, -0.0], "row 2"),
    ] as [([Float], String)]) func `a vector of the wrong length, not finite or all zero is named in the error`(
      numbers: [Float], says: String
    ) throws
  {
    let error = try #require(throws: MemoryError.self) {
      let vectors = try open(numbers, dimensions: 3)
      try vectors.require(rows: 2, for: "episodes")
      return try vectors.row(1)
    }
    #expect(error.code == .invalid && error.message.contains(says) && error.message.contains(".f32"))
  }

  @Test(arguments: [1, 3]) func `one row too many or too few is an error`(lines: Int) throws {
    let vectors = try open([1, 2, 3, 4, 5, 6], dimensions: 3)
    try vectors.require(rows: 2, for: "episodes")
    let error = try #require(throws: MemoryError.self) { try vectors.require(rows: lines, for: "episodes") }
    #expect(error.message.contains("2 rows") && error.message.contains("\(lines) episodes"))
  }

  @Test(arguments: [0, -1, 65_537]) func `a number of dimensions out of range is an error`(dimensions: Int) throws {
    let error = try #require(throws: MemoryError.self) { try open([1, 2, 3], dimensions: dimensions) }
    #expect(error.message.contains("\(dimensions)"))
  }

  // MARK: Output

  @Test func `a file appears under its name only when it is complete`() throws {
    let path = try file("old")
    do {
      let writer = try LineWriter(.file(path))
      try writer.write("new")
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
    let writer = try LineWriter(.file(path))
    try writer.write("new")
    try writer.finish()
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "new\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).count == 1)
  }

  // MARK: Details

  private func file(_ text: String) throws -> String {
    let path = directory.file("lines.jsonl")
    try Data(text.utf8).write(to: URL(filePath: path))
    return path
  }

  private func readAll(_ text: String) throws -> [(number: Int, text: String)] {
    var reader = LineReader(try OpenInput(.file(file(text))))
    var lines: [(number: Int, text: String)] = []
    while let line = try reader.next() { lines.append((line.number, String(decoding: line.bytes, as: UTF8.self))) }
    return lines
  }

  private func open(_ numbers: [Float], dimensions: Int) throws -> VectorFile {
    let path = directory.file("rows.f32")
    let bytes = numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * $0)) } }
    try Data(bytes).write(to: URL(filePath: path))
    return try VectorFile(VectorSource(.file(path), model: "m", dimensions: dimensions), limits: Memory.Limits())
  }
}

/// A named pipe that a thread writes into.
private struct ScratchPipe {
  final class Writer: Sendable {
    private let done = DispatchSemaphore(value: 0)

    init(_ path: String, _ pieces: [[UInt8]]) {
      Thread.detachNewThread { [done] in
        if let handle = FileHandle(forWritingAtPath: path) {
          // In some tests the reader closes early.
          for piece in pieces { try? handle.write(contentsOf: Data(piece)) }
          try? handle.close()
        }
        done.signal()
      }
    }

    func join() { done.wait() }
  }

  let path: String

  init(_ path: String) throws {
    self.path = path
    try #require(mkfifo(path, 0o600) == 0)
  }

  func write(_ pieces: [[UInt8]]) -> Writer { Writer(path, pieces) }
}
