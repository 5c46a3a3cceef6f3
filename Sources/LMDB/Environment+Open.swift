import CLMDB
import FileLocks
import Synchronization

extension Environment {
  /// Opens the environment in a directory, creating directory and files if there are none.
  ///
  /// Opening one that is open in this process, by whatever path, returns that same object with the options it has.
  /// Files that exist are examined before LMDB maps them, because mapping a truncated file ends in `SIGBUS`. This detects
  /// a file that is no data file or is incomplete; changed bytes inside are detected with `verifiesStructure` alone.
  ///
  /// - Parameter directory: Its parent must exist.
  /// - Throws: `.damaged`, `.versionMismatch`, `.accessDenied`, `.diskFull`; `.foreign` for a link or another user's
  ///   directory; `.busy` if others open or remove the files for longer than `options.patience`; `.invalid` for options
  ///   out of range.
  package static func open(at directory: String, options: Options) throws(LMDBError) -> Environment {
    let parameters = try Parameters(options)
    let files = try EnvironmentDirectory(
      PrivateDirectory(creatingAt: directory), until: .after(options.patience))
    if let identity = try files.examine() {
      if let environment = try find(identity, path: directory) { return environment }
      try files.verify(structure: options.verifiesStructure)
    } else {
      // Left by a removal that was cut short: another process may have the old data file open beside it.
      try files.directory.remove(EnvironmentDirectory.lockName)
    }
    let region = try LockRegion(in: files.directory, maxReaders: parameters.maxReaders)
    // LMDB would leave the mode to the umask, which may deny the file to LMDB's own second open of it.
    _ = try files.directory.createFile(EnvironmentDirectory.dataName)
    let pointer = try openFiles(in: directory, options, parameters, region)
    do throws(LMDBError) {
      var descriptor: Int32 = -1
      try LMDBError.check(mdb_env_get_fd(pointer, &descriptor), "find the data file", directory)
      // A program this process starts must not keep the file alive.
      episodic_close_on_exec(descriptor)
      guard let identity = FileStatus(descriptor: descriptor)?.identity else {
        throw LMDBError(.last("examine the open file in", directory))
      }
      return EnvironmentRegistry.shared.withLock { registry in
        let environment = Environment(
          pointer: pointer, path: directory, options: options, identity: identity, serial: registry.makeSerial(),
          region: region)
        registry.insert(environment)
        return environment
      }
    } catch {
      mdb_env_close(pointer)
      throw error
    }
  }

  /// The environment of this process that has the data file open, if there is one.
  private static func find(_ identity: FileIdentity, path: String) throws(LMDBError) -> Environment? {
    var found: Environment?
    try EnvironmentRegistry.shared.withLock { registry throws(LMDBError) in
      try registry.find(identity, path: path, &found)
    }
    return found
  }

  /// Deletes `data.mdb` and `lock.mdb`, if they are there; the directory stays.
  ///
  /// Another process that has them open goes on with the deleted files until it opens the path again.
  ///
  /// - Throws: `.busy` if the environment is open in this process, or others keep the directory locked for `patience`.
  package static func removeFiles(at directory: String, patience: Duration = .seconds(1)) throws(LMDBError) {
    try withClosedFiles(at: directory, until: .after(patience)) { files throws(LMDBError) in try files.removeFiles() }
  }

  /// Deletes the files only if `open` would refuse them now.
  ///
  /// Of several processes that all found the files damaged, one removes them; the others find its new ones and leave
  /// them alone.
  ///
  /// - Returns: Whether they were deleted.
  /// - Throws: `.busy` if the environment is open in this process, or others keep the directory locked for `patience`.
  @discardableResult
  package static func removeDamagedFiles(
    at directory: String, patience: Duration = .seconds(1)
  ) throws(LMDBError) -> Bool {
    var removed = false
    try withClosedFiles(at: directory, until: .after(patience)) { files throws(LMDBError) in
      guard try files.examine() != nil else { return }
      do throws(LMDBError) {
        try files.verify(structure: false)
      } catch let error where error.code == .damaged || error.code == .versionMismatch {
        try files.removeFiles()
        removed = true
      }
    }
    return removed
  }

  private static func withClosedFiles(
    at directory: String, until deadline: Deadline, _ body: (borrowing EnvironmentDirectory) throws(LMDBError) -> Void
  ) throws(LMDBError) {
    guard let directory = try PrivateDirectory<LMDBError>(at: directory) else { return }
    let files = try EnvironmentDirectory(directory, until: deadline)
    if let identity = try files.examine(), try find(identity, path: files.path) != nil {
      throw LMDBError(.busy, message: "cannot remove the files in \(files.path): open in this process")
    }
    try body(files)
  }

  private static func openFiles(
    in directory: String, _ options: Options, _ parameters: Parameters, _ region: LockRegion?
  ) throws(LMDBError) -> OpaquePointer {
    var created: OpaquePointer?
    try LMDBError.check(mdb_env_create(&created), "create an environment", directory)
    guard let pointer = created else {
      throw LMDBError(.unavailable, message: "cannot create an environment in \(directory): no handle")
    }
    do throws(LMDBError) {
      try LMDBError.check(mdb_env_set_mapsize(pointer, parameters.mapSize), "set the map size", directory)
      try LMDBError.check(mdb_env_set_maxreaders(pointer, parameters.maxReaders), "set the readers", directory)
      try LMDBError.check(mdb_env_set_maxdbs(pointer, parameters.maxDatabases), "set the databases", directory)
      try LMDBError.check(
        mdb_env_open(pointer, directory, parameters.flags, mode_t(options.fileMode & 0o777)),
        "open an environment", directory)
      try region?.awaitReaderTable()
      var dead: Int32 = 0
      try LMDBError.check(mdb_reader_check(pointer, &dead), "check readers", directory)
    } catch {
      mdb_env_close(pointer)
      throw error
    }
    return pointer
  }
}

extension Environment {
  /// Options as LMDB takes them, all in range.
  private struct Parameters {
    let mapSize: Int
    let maxReaders: UInt32
    let maxDatabases: UInt32
    let flags: UInt32

    init(_ options: Options) throws(LMDBError) {
      let page = Int(sysconf(Int32(_SC_PAGESIZE)))
      let (padded, overflow) = options.mapSize.addingReportingOverflow(page - 1)
      guard options.mapSize > 0, !overflow else {
        throw LMDBError(.invalid, message: "map size \(options.mapSize) is out of range")
      }
      guard let readers = UInt32(exactly: options.maxReaders), (1...65_536).contains(readers) else {
        throw LMDBError(.invalid, message: "\(options.maxReaders) readers are out of range 1...65536")
      }
      guard let databases = UInt32(exactly: options.maxDatabases), (1...4_096).contains(databases) else {
        throw LMDBError(.invalid, message: "\(options.maxDatabases) databases are out of range 1...4096")
      }
      mapSize = padded / page * page
      maxReaders = readers
      maxDatabases = databases
      // NOTLS: a slot belongs to a transaction, so one thread can hold several and none outlives its transaction.
      var flags = UInt32(MDB_NOTLS)
      switch options.durability {
      case .full: break
      case .noMetaSync: flags |= UInt32(MDB_NOMETASYNC)
      case .noSync: flags |= UInt32(MDB_NOSYNC)
      }
      if !options.readsAhead { flags |= UInt32(MDB_NORDAHEAD) }
      self.flags = flags
    }
  }
}
