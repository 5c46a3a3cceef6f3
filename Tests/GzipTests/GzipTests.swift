import FileLocks
import Foundation
import Gzip
import TestSupport
import Testing

@Suite struct `Gzip files` {
  private func file(_ path: String) throws -> OpenFile<FileError> { try #require(try OpenFile<FileError>.create(path)) }

  private func compress(_ bytes: [UInt8], as path: String) throws {
    let file = try file(path)
    var writer = try GzipWriter(file)
    for piece in stride(from: 0, to: bytes.count, by: 1000) {
      try bytes[piece..<min(piece + 1000, bytes.count)].withUnsafeBytes { try writer.write($0) }
    }
    try writer.finish()
  }

  private func content(of path: String, bufferBytes: Int = 777) throws -> [UInt8] {
    let file = try #require(try OpenFile<FileError>.reading(path))
    var reader = try GzipReader(file)
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: bufferBytes)
    while true {
      let count = try buffer.withUnsafeMutableBytes { try reader.read(into: $0) }
      content += buffer.prefix(count)
      if count < buffer.count { return content }
    }
  }

  private var sample: [UInt8] {
    var generator = SeededGenerator(seed: 7)
    return (0..<100_000).map { $0 % 3 == 0 ? UInt8.random(in: 0...255, using: &generator) : UInt8($0 & 3) }
  }

  @Test func `what was compressed is decompressed, and gzip itself reads it`() throws {
    let directory = try TemporaryDirectory()
    try compress(sample, as: directory.file("a.gz"))
    try compress([], as: directory.file("empty.gz"))
    #expect(try content(of: directory.file("a.gz")) == sample)
    #expect(try content(of: directory.file("empty.gz")).isEmpty)
    let child = try Child(
      running: "/bin/sh", ["-c", "gzip -dc '\(directory.file("a.gz"))' > '\(directory.file("a"))'"], in: directory)
    #expect(child.wait() == 0)
    #expect(try Data(contentsOf: URL(filePath: directory.file("a"))) == Data(sample))
  }

  @Test func `a file that was cut, or changed in its content, is damaged; one that is none is told`() throws {
    let directory = try TemporaryDirectory()
    try compress(sample, as: directory.file("a.gz"))
    let whole = try Data(contentsOf: URL(filePath: directory.file("a.gz")))
    for (number, count) in [whole.count - 1, whole.count - 8, whole.count / 2, 11].enumerated() {
      let path = directory.file("cut-\(number)")
      try whole.prefix(count).write(to: URL(filePath: path))
      #expect(throws: GzipError.self, "\(count) bytes") { try content(of: path) }
    }
    var generator = SeededGenerator(seed: 8)
    for number in 0..<20 {
      var changed = whole
      changed[Int.random(in: 10..<whole.count, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
      let path = directory.file("changed-\(number)")
      try changed.write(to: URL(filePath: path))
      #expect(throws: GzipError.self) { try content(of: path) }
    }
    try Data("plain text".utf8).write(to: URL(filePath: directory.file("plain")))
    #expect(throws: GzipError.notGzip(path: directory.file("plain"))) { try content(of: directory.file("plain")) }
  }
}
