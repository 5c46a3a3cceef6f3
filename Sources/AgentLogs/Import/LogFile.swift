package import EpisodicMemory
import FileLocks
import Foundation

/// A log on the disk.
package struct LogFile: Hashable, Sendable {
  /// Files in a directory that may be logs.
  private static let suffixes = [".jsonl", ".traj", ".traj.json"]

  package let path: String
  package let size: Int64
  package let modified: Timestamp

  /// The files that are named, and all logs in and below the directories that are.
  ///
  /// - Returns: The one that was written last at the end, so that a log that was copied comes after what it was copied from.
  /// - Throws: `.invalid` if there is nothing under a path.
  package static func all(at paths: [String]) throws(MemoryError) -> [LogFile] {
    var files: [LogFile] = []
    for given in paths {
      let path = try PathText.expanded(given, of: "a log")
      var status = stat()
      guard stat(path, &status) == 0 else {
        throw MemoryError(.invalid, "cannot read \(given): \(String(cString: strerror(errno))); check the path")
      }
      if status.st_mode & S_IFMT == S_IFDIR {
        files += try below(path)
      } else {
        files.append(LogFile(path: path, status))
      }
    }
    var seen: Set<String> = []
    return files.filter { seen.insert($0.path).inserted }.sorted {
      ($0.modified, $0.path) < ($1.modified, $1.path)
    }
  }

  private static func below(_ folder: String) throws(MemoryError) -> [LogFile] {
    // Links to directories are not followed, so that there is no circle.
    var failure: MemoryError?
    let folders = FileManager.default.enumerator(
      at: URL(filePath: folder), includingPropertiesForKeys: nil, options: [],
      errorHandler: { url, error in
        failure = MemoryError(
          .invalid, "cannot read \(url.path(percentEncoded: false)): \(error.localizedDescription); check its mode")
        return false
      })
    var files: [LogFile] = []
    while let url = folders?.nextObject() as? URL {
      let path = url.path(percentEncoded: false)
      var status = stat()
      guard suffixes.contains(where: path.hasSuffix), stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG
      else { continue }
      files.append(LogFile(path: path, status))
    }
    if let failure { throw failure }
    return files
  }

  private init(path: String, _ status: stat) {
    self.path = path
    size = Int64(status.st_size)
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    modified = Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  /// Its name without the ending.
  var name: String { URL(filePath: path).deletingPathExtension().lastPathComponent }
}
