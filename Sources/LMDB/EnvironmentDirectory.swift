/// A directory that holds an environment's two files, locked against other openers while this value lives.
///
/// Openers, of this process and of others, examine, open and remove the files one at a time, so none of them can take a file
/// that another is just creating for a damaged one. The lock is a `flock` on the directory itself: it needs no third
/// file, and closing it does not touch LMDB's `fcntl` locks.
struct EnvironmentDirectory: ~Copyable {
  static let dataName = "data.mdb"
  static let lockName = "lock.mdb"

  let directory: PrivateDirectory

  var path: String { directory.path }
  var dataFile: String { path + "/" + Self.dataName }

  /// `nil` if the directory does not exist and `creating` is false.
  ///
  /// - Throws: `.busy` if others keep it locked until `deadline`.
  init?(at path: String, creating: Bool, until deadline: Deadline) throws(LMDBError) {
    guard let directory = try PrivateDirectory(at: path, creating: creating) else { return nil }
    try directory.lock(until: deadline)
    self.directory = directory
  }

  /// The identity of the data file; `nil` if there is none. LMDB opens both files by their paths, so neither may be a
  /// link.
  func examine() throws(LMDBError) -> FileIdentity? {
    _ = try directory.identity(ofRegular: Self.lockName)
    return try directory.identity(ofRegular: Self.dataName)
  }

  /// Data first: a lock file without a data file is known to be left over, and `open` removes it.
  func removeFiles() throws(LMDBError) {
    try directory.remove(Self.dataName)
    try directory.remove(Self.lockName)
  }
}
