import Foundation

/// A directory for one test, removed with the value.
struct ScratchDirectory: ~Copyable {
  let path: String

  var dataFile: String { path + "/data.mdb" }
  var lockFile: String { path + "/lock.mdb" }

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/lmdb-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }
}
