import FileLocks
import Foundation
package import StoreValues

/// Where a backup is to be: a directory, in which it gets a name of its own, or a file.
package enum BackupPlace: Hashable, Sendable {
  case folder(String)
  case file(String)

  /// - Parameter name: A path; `~` and `~/...` are in the home directory. What ends with a slash is a directory.
  package init(_ name: String) throws(MemoryError) {
    let path = try Self.absolute(name)
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    if (exists && isDirectory.boolValue) || name.hasSuffix("/") {
      self = .folder(path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path)
    } else {
      self = .file(path)
    }
  }

  /// - Parameter name: A path; `~` and `~/...` are in the home directory.
  package static func absolute(_ name: String) throws(MemoryError) -> String {
    let path = try PathText.expanded(name, of: "a backup")
    return path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }
}

/// Names of files of one second, UTC: `memory-20260131T120000Z`, and `-2` and so on for several of one.
package enum TimedName {
  /// The name of the first of its second.
  package static func first(_ prefix: String, at time: Timestamp) -> String {
    let text = time.description.prefix(19).filter { $0 != "-" && $0 != ":" }
    return "\(prefix)-\(text)Z"
  }

  /// A path in a directory that no file has with any of the suffixes, a draft included.
  ///
  /// - Parameter suffixes: Of the files that are named after it.
  /// - Returns: The path without a suffix.
  package static func free(
    _ prefix: String, at time: Timestamp, in directory: String, suffixes: [String]
  ) throws(MemoryError) -> String {
    let first = "\(directory)/\(Self.first(prefix, at: time))"
    let suffixes = suffixes.flatMap { [$0, $0 + DraftFile.suffix] }
    for number in 1...9999 {
      let path = number == 1 ? first : "\(first)-\(number)"
      do throws(FileError) {
        var isFree = true
        // A link counts, wherever it leads.
        for suffix in suffixes where isFree { isFree = try FileStatus(of: path + suffix) == nil }
        if isFree { return path }
      } catch {
        throw MemoryError(storage: error, path: directory)
      }
    }
    throw MemoryError(.unavailable, "\(directory) has 9999 backups of one second; name another directory")
  }
}
