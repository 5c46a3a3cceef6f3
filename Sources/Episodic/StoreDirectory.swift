import EpisodicMemory
import FileLocks
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

  private static func resolved(_ path: String) throws(MemoryError) -> String {
    do throws(FileError) {
      return try RealPath.resolve(path)
    } catch {
      throw MemoryError(
        .unavailable,
        "the store's directory \(path) cannot be resolved: \(String(cString: strerror(error.number))); name another",
        cause: error)
    }
  }
}
