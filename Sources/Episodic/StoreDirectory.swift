import EpisodicMemory
import Foundation
import MemorySQLite

/// The directory of a store, as an absolute path without symbolic links.
///
/// Some locks within a process are keyed by path, so two paths of one directory must not become two stores.
struct StoreDirectory {
  /// Absolute, without symbolic links as far as it exists.
  let path: String
  var primary: String { path + "/memory.sqlite" }
  var cache: String { path + "/cache.lmdb" }
  var index: String { cache + "/index" }
  /// Copies of the primary, and receipts of what was erased from it.
  var backups: String { BackupFolder(besidePrimary: primary).path }

  /// - Parameter name: A path; `~` and `~/...` are in the home directory.
  /// - Throws: `.invalid` if it is empty, or of another user's home; `.unavailable` if it cannot be resolved.
  init(_ name: String) throws(MemoryError) {
    let expanded = try PathText.expanded(name, of: "the store's directory")
    let absolute = expanded.hasPrefix("/") ? expanded : FileManager.default.currentDirectoryPath + "/" + expanded
    path = try Self.resolved(absolute)
  }

  /// Resolves the existing part of a path and appends the rest.
  private static func resolved(_ path: String) throws(MemoryError) -> String {
    var missing: [Substring] = []
    var parts = path.split(separator: "/")
    while true {
      let existing = "/" + parts.joined(separator: "/")
      if let real = realpath(existing, nil) {
        defer { free(real) }
        let base = String(cString: real)
        let rest = missing.reversed().joined(separator: "/")
        return rest.isEmpty ? base : base == "/" ? "/" + rest : base + "/" + rest
      }
      let reason = String(cString: strerror(errno))
      // A dangling symbolic link is not a directory that can be created.
      guard errno == ENOENT, !isSymbolicLink(existing), let last = parts.popLast(), last != "..", last != "." else {
        throw MemoryError(.unavailable, "the store's directory \(path) cannot be resolved: \(reason); name another")
      }
      missing.append(last)
    }
  }

  private static func isSymbolicLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }
}
