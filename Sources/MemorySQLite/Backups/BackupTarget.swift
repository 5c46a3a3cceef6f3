import EpisodicMemory
import FileLocks
import Foundation
import StoreRows

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
    switch try BackupPlace(name) {
    case .folder(let path): self = .folder(BackupFolder(path))
    case .file(let path): self = .file(path)
    }
  }

  /// Refuses a place in the store's directory where an erasure would not find the copy: it looks into `backups` only.
  ///
  /// - Parameter own: The folder `backups` of the store.
  func requireFound(fromStoreOf own: BackupFolder) throws(MemoryError) {
    let (path, place): (String, String)
    do throws(FileError) {
      switch self {
      case .folder(let folder): (path, place) = (folder.path, try RealPath.resolve(folder.path))
      case .file(let file):
        path = file
        let directory = try RealPath.resolve((file as NSString).deletingLastPathComponent)
        let isKnown = file.hasSuffix(".sqlite") || file.hasSuffix(".sqlite.gz")
        place = directory == own.path && !isKnown ? own.path + "/" + file : directory
      }
    } catch {
      throw MemoryError(backup: error)
    }
    let store = (own.path as NSString).deletingLastPathComponent
    guard place != own.path, place == store || place.hasPrefix(store + "/") else { return }
    throw MemoryError(
      .invalid,
      "\(path) is in the directory of the store, where forgetting would not find the copy; name a place outside of it, or "
        + "a file *.sqlite or *.sqlite.gz in \(own.path)")
  }
}
