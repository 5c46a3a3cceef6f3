package import EpisodicMemory
import FileLocks
import Foundation

/// Which logs were read as they are, so that the next synchronisation leaves them out.
///
/// A file of the store's directory. Nothing is lost with it: the logs are read once more, and their episodes are there already.
package struct SyncState: Sendable, Equatable {
  package static let fileName = "sync.json"

  private struct Entry: Equatable {
    let size: Int64
    let modified: Int64
  }

  private var entries: [String: Entry] = [:]
  /// Whether there is to be one for the next time.
  let isKept: Bool

  /// One that is not kept.
  init() { isKept = false }

  /// - Parameter directory: Of the store. A file that is missing, damaged or of another form is as an empty one.
  package init(store directory: String) {
    isKept = true
    do {
      let data = try Data(contentsOf: URL(filePath: directory + "/" + Self.fileName))
      let files = try JSON(text: String(decoding: data, as: UTF8.self))["files"]?.members ?? [:]
      for file in files {
        guard case .integer(let size)? = file.value["size"], case .integer(let modified)? = file.value["modified"]
        else {
          continue
        }
        entries[file.name] = Entry(size: size, modified: modified)
      }
    } catch {
      entries = [:]
    }
  }

  func has(_ file: LogFile) -> Bool {
    entries[file.path] == Entry(size: file.size, modified: file.modified.milliseconds)
  }

  mutating func note(_ file: LogFile) {
    entries[file.path] = Entry(size: file.size, modified: file.modified.milliseconds)
  }

  /// Writes the file, without entries of logs that are gone.
  ///
  /// - Throws: `.unavailable` if it cannot be written.
  package func save(in directory: String) throws(MemoryError) {
    var members: JSON.Object = [:]
    for (path, entry) in entries where access(path, F_OK) == 0 {
      members[path] = ["size": .integer(entry.size), "modified": .integer(entry.modified)]
    }
    let text = JSON.object(["files": .object(members)]).canonicalText + "\n"
    let path = directory + "/" + Self.fileName
    do {
      try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    } catch {
      throw MemoryError(
        .unavailable,
        "cannot write \(path): \(error.localizedDescription); the next synchronisation reads all logs again",
        cause: error)
    }
  }
}
