import FileLocks
import Foundation
import StoreValues

/// A directory with backups of a ledger, told by their names: `ledger-20260131T120000Z.sqlite`, and `-2` and so on for
/// several of one second.
struct LedgerBackupFolder {
  enum Place {
    case folder(String)
    case file(String)
  }

  let path: String

  init(_ path: String) { self.path = path }

  init(besideLedger path: String) { self.path = (path as NSString).deletingLastPathComponent + "/backups" }

  /// - Parameter name: What ends with a slash is a directory.
  static func place(_ name: String) throws(MemoryError) -> Place {
    let expanded = try PathText.expanded(name, of: "a backup")
    let path = expanded.hasPrefix("/") ? expanded : FileManager.default.currentDirectoryPath + "/" + expanded
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    guard (exists && isDirectory.boolValue) || name.hasSuffix("/") else { return .file(path) }
    return .folder(path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path)
  }

  /// A name that no file of the directory has, a draft included.
  func freeName(_ prefix: String, at time: Timestamp) throws -> String {
    let text = time.description.prefix(19).filter { $0 != "-" && $0 != ":" }
    for number in 1...9999 {
      let name = "\(path)/\(prefix)-\(text)Z\(number == 1 ? "" : "-\(number)").sqlite"
      if try FileStatus(of: name) == nil, try FileStatus(of: name + DraftFile.suffix) == nil { return name }
    }
    throw MemoryError(.unavailable, "\(path) has 9999 backups of one second; name another directory")
  }

  /// Removes all but the newest; what a restore replaced stays.
  func prune(keeping count: Int) throws {
    let form = /ledger-([0-9]{8}T[0-9]{6})Z(?:-([0-9]{1,6}))?\.sqlite/
    let backups = try FileManager.default.contentsOfDirectory(atPath: path).compactMap { name in
      name.wholeMatch(of: form).map { (time: String($0.1), number: $0.2.flatMap { Int($0) } ?? 1, name: name) }
    }.sorted { ($0.time, $0.number) > ($1.time, $1.number) }
    guard backups.count > count else { return }
    for backup in backups.dropFirst(count) {
      guard unlink("\(path)/\(backup.name)") == 0 || errno == ENOENT else {
        throw FileError.last("remove", "\(path)/\(backup.name)")
      }
    }
    try OpenFile<FileError>.directory(path).sync()
  }
}
