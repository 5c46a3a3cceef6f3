import Episodic
import Foundation

/// What a command reads from standard input.
enum StandardInput {
  /// More than the largest episode that a script writes by hand; a bound on memory for what is not meant as input.
  private static let maximumBytes = 64 << 20

  /// Everything up to the end.
  ///
  /// - Throws: `.invalid` beyond 64 MiB, `.unavailable` if it cannot be read.
  static func bytes() throws(MemoryError) -> [UInt8] {
    try bytes(of: STDIN_FILENO, "standard input", remedy: "redirect a file")
  }

  /// Everything up to the end of a file, which may be a pipe.
  ///
  /// - Throws: As for standard input.
  static func bytes(of file: Int32, _ name: String, remedy: String) throws(MemoryError) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let got = buffer.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
      if got == 0 { return bytes }
      guard got > 0 else {
        if errno == EINTR { continue }
        throw MemoryError(
          .unavailable, "cannot read \(name): \(String(cString: strerror(errno))); \(remedy)")
      }
      bytes += buffer[..<got]
      guard bytes.count <= maximumBytes else {
        throw MemoryError(.invalid, "\(name) is longer than \(maximumBytes >> 20) MiB; split it, or use import")
      }
    }
  }

  /// A text without the line end that closes it.
  static func text() throws(MemoryError) -> String {
    let bytes = try bytes()
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw MemoryError(.invalid, "standard input is not UTF-8; convert it")
    }
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  /// One JSON value.
  static func json() throws(MemoryError) -> JSON {
    let text = try text()
    do throws(MemoryError) {
      return try JSON(text: text)
    } catch {
      throw error.naming(place: "standard input")
    }
  }
}
