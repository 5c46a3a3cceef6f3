import FileLocks

/// A directory that holds an environment's two files, locked against other openers while this value lives.
///
/// Openers, of this process and of others, examine, open and remove the files one at a time, so none of them can take a file
/// that another is just creating for a damaged one. The lock is a `flock` on the directory itself: it needs no third
/// file, and closing it does not touch LMDB's `fcntl` locks.
struct EnvironmentDirectory: ~Copyable {
  static let dataName = "data.mdb"
  static let lockName = "lock.mdb"

  let directory: PrivateDirectory<LMDBError>
  private let lock: FileLock<LMDBError>

  var path: String { directory.path }
  var dataFile: String { path + "/" + Self.dataName }

  /// - Throws: `.busy` if others keep it locked until `deadline`.
  init(_ directory: PrivateDirectory<LMDBError>, until deadline: Deadline) throws(LMDBError) {
    self.directory = directory
    lock = directory.lock
    try lock.lock(.exclusive, until: deadline)
  }

  /// The identity of the data file; `nil` if there is none. LMDB opens both files by their paths, so neither may be a
  /// link.
  func examine() throws(LMDBError) -> FileIdentity? {
    _ = try identity(of: Self.lockName)
    return try identity(of: Self.dataName)
  }

  private func identity(of name: String) throws(LMDBError) -> FileIdentity? {
    guard let status = try directory.status(of: name) else { return nil }
    switch status.kind {
    case .regular: return status.identity
    case .symbolicLink: throw LMDBError(.link(path + "/" + name))
    default: throw LMDBError(.damaged, message: "\(path)/\(name) is damaged: it is not a regular file")
    }
  }

  /// Data first: a lock file without a data file is known to be left over, and `open` removes it.
  func removeFiles() throws(LMDBError) {
    try directory.remove(Self.dataName)
    try directory.remove(Self.lockName)
  }
}
