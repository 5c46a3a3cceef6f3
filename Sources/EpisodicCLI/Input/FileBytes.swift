import Episodic
import Foundation

/// Whole files that options name.
enum FileBytes {
  /// - Throws: `.invalid` if it cannot be read.
  static func read(_ path: String) throws(MemoryError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      throw MemoryError(.invalid, "cannot read \(path): \(String(cString: strerror(errno))); check the path")
    }
    defer { close(file) }
    return try StandardInput.bytes(of: file, path, remedy: "check the path")
  }

  /// A text without the line end that closes it; `-` is standard input.
  static func text(_ path: String) throws(MemoryError) -> String {
    if path == "-" { return try StandardInput.text() }
    guard let text = String(validating: try read(path), as: UTF8.self) else {
      throw MemoryError(.invalid, "\(path) is not UTF-8; convert it")
    }
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }
}
