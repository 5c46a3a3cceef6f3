import FileLocks
import Foundation
import StoreRows
import StoreValues

/// A directory with backups of a ledger, told by their names: `ledger-20260131T120000Z.sqlite`, and `-2` and so on for
/// several of one second.
struct LedgerBackupFolder {
  let path: String

  init(_ path: String) { self.path = path }

  init(besideLedger path: String) { self.path = (path as NSString).deletingLastPathComponent + "/backups" }

  /// The path of a file that is not there.
  func freeName(_ prefix: String, at time: Timestamp) throws(MemoryError) -> String {
    try TimedName.free(prefix, at: time, in: path, suffixes: [".sqlite"]) + ".sqlite"
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
