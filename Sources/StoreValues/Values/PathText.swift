import Foundation

/// Paths as callers write them.
package enum PathText {
  /// Expands `~` and `~/...` to the home directory: `HOME`, or that of the user.
  ///
  /// - Parameter what: What the path is of, for messages: `the store's directory`.
  /// - Throws: `.invalid` if it is empty, has a NUL, or begins with another user's home.
  package static func expanded(_ path: String, of what: String) throws(MemoryError) -> String {
    guard !path.isEmpty else { throw MemoryError(.invalid, "the name of \(what) is empty; name one") }
    guard !path.utf8.contains(0) else {
      throw MemoryError(.invalid, "the name of \(what) has a NUL in it; name another")
    }
    guard path.hasPrefix("~") else { return path }
    guard path == "~" || path.hasPrefix("~/") else {
      throw MemoryError(
        .invalid, "\"\(path)\" begins with ~ and a name, which is not looked up; write the path, or ./\(path)")
    }
    let home = ProcessInfo.processInfo.environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory()
    return home + path.dropFirst()
  }
}
