import EpisodicMemory
import FileLocks
import Foundation

/// Where a backup is to be: a directory, in which it gets a name of its own, or a file.
enum BackupTarget {
  case folder(BackupFolder)
  case file(String)

  /// - Parameter name: A path; `~` and `~/...` are in the home directory. What ends with a slash is a directory.
  /// - Parameter own: The store's own folder, for no name; `nil` if it has none.
  init(_ name: String?, own: BackupFolder?) throws(MemoryError) {
    guard let name else {
      guard let own else {
        throw MemoryError(.invalid, "the store is in memory and has no folder for backups; name a file or a directory")
      }
      self = .folder(own)
      return
    }
    let path = try Self.absolute(name)
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    if (exists && isDirectory.boolValue) || name.hasSuffix("/") {
      self = .folder(BackupFolder(path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path))
    } else {
      self = .file(path)
    }
  }

  /// - Parameter name: A path; `~` and `~/...` are in the home directory.
  static func absolute(_ name: String) throws(MemoryError) -> String {
    let path = try PathText.expanded(name, of: "a backup")
    return path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }
}
