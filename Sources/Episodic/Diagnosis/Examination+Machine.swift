import EpisodicMemory
import FileLocks
import Foundation
import MemoryLMDB
import MemorySQLite
import StoreRows

/// Disk, limits of the process, and processes that hold locks.
extension Examination {
  /// Descriptors that a process with one store needs at least, with some for its own.
  private static let descriptors: UInt64 = 128
  /// Address space that cache and index reserve, and as much again for the rest.
  private static let addressSpace: UInt64 = 160 << 30
  private static let temporaryRoom: Int64 = 1 << 20

  func examineDisk() {
    let system: FileSystem
    do throws(FileError) {
      system = try FileSystem(of: directory.path)
    } catch {
      return found(.primaryUnavailable, directory.path, error.message)
    }
    examine(system)
  }

  func examine(_ system: FileSystem) {
    saw("free space", "\(system.free.asBytes) of \(system.size.asBytes)")
    switch system.kind {
    case .local: break
    case .network(let name):
      found(
        .fileSystemNetwork, directory.path,
        "it is on \(name), where locks and shared memory cannot be relied on: commits may be lost")
    case .overlay:
      found(
        .fileSystemOverlay, directory.path,
        "it is on an overlay: the store is gone with the container, and a file of a lower layer becomes another when it is written"
      )
    }
    let floor = DiskWatch.floor(options.limits.minimumFreeBytes, ofDiskOf: system.size)
    if system.free < floor {
      found(
        .diskLow, directory.path,
        "\(system.free.asBytes) are left, less than the floor of \(floor.asBytes): what makes the store grow is refused"
      )
    }
    // Some file systems count none.
    if system.files > 0, system.freeFiles < 16 {
      found(
        .inodesLow, directory.path, "\(system.freeFiles) files can still be made on this disk, and SQLite needs some")
    }
    if system.isReadOnly { found(.readOnly, directory.path, "the file system is mounted for reading only") }
  }

  func examineRightToWrite() {
    guard status(of: directory.primary) != nil else { return }
    for path in [directory.primary, directory.path] where faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0 {
      guard errno != EROFS else { return }
      return found(.readOnly, path, "this user may not write it, so the store is opened for reading only")
    }
  }

  func examineProcess() {
    if let limit = Self.limit(of: .files) {
      saw("open files", limit == .max ? "unlimited" : "at most \(limit)")
      if limit < Self.descriptors {
        found(
          .fileLimit, "this process", "it may open \(limit) files, and a store with cache and index takes up to 40")
      }
    }
    if let limit = Self.limit(of: .addressSpace), limit < Self.addressSpace {
      found(
        .mapLimit, "this process",
        "it may map \(Int64(clamping: limit).asBytes), less than the 128 GiB that the index reserves without using them"
      )
    }
    examineTemporaryDirectory()
  }

  private func examineTemporaryDirectory() {
    let path = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    guard faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0 else {
      return found(
        .temporaryDirectory, path,
        "the directory for temporary files cannot be written: \(String(cString: strerror(errno)))")
    }
    // One that cannot be examined can be written.
    guard let system = try? FileSystem(of: path), system.free < Self.temporaryRoom else { return }
    found(.temporaryDirectory, path, "the directory for temporary files has \(system.free.asBytes) left")
  }

  private enum Resource { case files, addressSpace }

  private static func limit(of resource: Resource) -> UInt64? {
    var limit = rlimit()
    #if canImport(Glibc)
      let code =
        switch resource {
        case .files: getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        case .addressSpace: getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        }
    #else
      let code =
        switch resource {
        case .files: getrlimit(RLIMIT_NOFILE, &limit)
        case .addressSpace: getrlimit(RLIMIT_AS, &limit)
        }
    #endif
    return code == 0 ? UInt64(limit.rlim_cur) : nil
  }

  // MARK: Locks

  /// The processes that use the store, and those among them that are stopped while they hold a lock.
  func examineLocks(_ derived: [DerivedFiles]) {
    let holders = LockHolders()
    var files: [(name: String, identity: FileIdentity)] = []
    for suffix in ["-lock", "-shm", "-maintenance", ""] {
      if let identity = status(of: directory.primary + suffix)?.identity {
        files.append(("memory.sqlite" + suffix, identity))
      }
    }
    for tier in derived {
      for (name, identity) in tier.inspection?.locks.sorted(by: { $0.key < $1.key }) ?? [] {
        files.append(("\(tier.name)/\(name)", identity))
      }
    }
    var users: Set<Int32> = []
    var stopped: [Int32: [String]] = [:]
    for (name, identity) in files {
      for process in holders.processes(on: identity) where process != getpid() {
        users.insert(process)
        if ProcessState(of: process) == .stopped { stopped[process, default: []].append(name) }
      }
    }
    saw("other processes", users.isEmpty ? "none" : users.sorted().map(ProcessState.name).joined(separator: ", "))
    for (process, files) in stopped.sorted(by: { $0.key < $1.key }) {
      found(
        .lockStopped, "process \(ProcessState.name(of: process))",
        "it is stopped and holds locks on \(files.joined(separator: ", ")), for which others wait")
    }
  }
}
