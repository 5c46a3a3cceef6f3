import ArgumentParser
import CFaults
import Foundation

/// A kind of system call into which a fault can be injected.
enum FaultCall: String, CaseIterable, Codable, ExpressibleByArgument {
  case open, read, pread, write, writev, pwrite, fsync, fdatasync, ftruncate, fallocate, mmap, flock, fcntl, unlink
  case rename, mkdir

  var bit: UInt32 {
    switch self {
    case .open: FAULTS_OPEN.rawValue
    case .read: FAULTS_READ.rawValue
    case .pread: FAULTS_PREAD.rawValue
    case .write: FAULTS_WRITE.rawValue
    case .writev: FAULTS_WRITEV.rawValue
    case .pwrite: FAULTS_PWRITE.rawValue
    case .fsync: FAULTS_FSYNC.rawValue
    case .fdatasync: FAULTS_FDATASYNC.rawValue
    case .ftruncate: FAULTS_FTRUNCATE.rawValue
    case .fallocate: FAULTS_FALLOCATE.rawValue
    case .mmap: FAULTS_MMAP.rawValue
    case .flock: FAULTS_FLOCK.rawValue
    case .fcntl: FAULTS_FCNTL.rawValue
    case .unlink: FAULTS_UNLINK.rawValue
    case .rename: FAULTS_RENAME.rawValue
    case .mkdir: FAULTS_MKDIR.rawValue
    }
  }

  /// Calls that change a file or take a lock: a kill between two of them leaves a different state.
  static let changing = allCases.filter { $0 != .read && $0 != .pread }
  static let locking: [FaultCall] = [.flock, .fcntl]

  /// The errors of this kind of call by its manual page: of a full or broken disk, of exhausted resources, and of a signal.
  var errors: [FaultError] {
    switch self {
    case .open: [.EIO, .ENOSPC, .EINTR, .EMFILE, .ENOMEM, .EACCES]
    case .read, .pread: [.EIO, .EINTR, .EAGAIN, .short]
    case .write, .writev, .pwrite: [.EIO, .ENOSPC, .EINTR, .EAGAIN, .short]
    case .fsync, .fdatasync: [.EIO, .ENOSPC, .EINTR]
    case .ftruncate: [.EIO, .ENOSPC, .EINTR, .EACCES]
    case .fallocate: [.EIO, .ENOSPC, .EINTR]
    case .mmap: [.ENOMEM, .EACCES, .EAGAIN]
    case .flock: [.EINTR, .EAGAIN, .ENOLCK]
    case .fcntl: [.EINTR, .EAGAIN, .EACCES, .ENOLCK]
    case .unlink, .rename: [.EIO, .EACCES]
    case .mkdir: [.EIO, .ENOSPC, .EACCES]
    }
  }
}

extension Collection<FaultCall> {
  var bits: UInt32 { reduce(0) { $0 | $1.bit } }
}

/// How a call fails, by the name in the manual pages.
enum FaultError: String, CaseIterable, Codable, ExpressibleByArgument {
  case EIO, ENOSPC, EINTR, EMFILE, ENOMEM, EACCES, EAGAIN, ENOLCK
  /// It succeeds and reads or writes half of the bytes.
  case short

  var number: Int32 {
    switch self {
    case .EIO: Foundation.EIO
    case .ENOSPC: Foundation.ENOSPC
    case .EINTR: Foundation.EINTR
    case .EMFILE: Foundation.EMFILE
    case .ENOMEM: Foundation.ENOMEM
    case .EACCES: Foundation.EACCES
    case .EAGAIN: Foundation.EAGAIN
    case .ENOLCK: Foundation.ENOLCK
    case .short: 0
    }
  }
}

/// A kind of fault.
enum FaultKind: String, CaseIterable, Codable, ExpressibleByArgument {
  /// SIGKILL at a call.
  case kill
  /// A call fails.
  case error
  /// All threads stop after a call, while other processes use the store; then SIGKILL.
  case stop

  /// The calls by default.
  var calls: [FaultCall] {
    switch self {
    case .kill: FaultCall.changing
    case .error: FaultCall.allCases
    case .stop: FaultCall.locking
    }
  }
}

/// What the program under test does.
enum FaultVerb: String, CaseIterable, Codable, ExpressibleByArgument {
  /// `episodic record` without a store.
  case open
  case record, recall, `import`, check, rebuild
  /// Writes, each acknowledged after its commit, then the close.
  case close
  /// `episodic record` on a store of an earlier schema.
  case migrate
  /// `episodic backup`, then every backup is verified.
  case backup
  /// `episodic restore`: afterwards the store is the one from before or the one that was backed up.
  case restore
  /// `episodic forget`: afterwards an episode is there, or no file of the store has a byte of it.
  case forget
  case maintain

  /// Whether it needs a new store for each run.
  var needsNewStore: Bool { self == .open || self == .migrate }

  static func defaults(of kind: FaultKind) -> [FaultVerb] {
    switch kind {
    case .kill: [.open, .record, .close, .migrate, .import, .rebuild, .backup, .restore, .forget, .maintain]
    case .error:
      [.record, .recall, .import, .check, .rebuild, .open, .close, .backup, .restore, .forget, .maintain]
    case .stop: [.record, .recall, .import, .check, .rebuild, .open, .close]
    }
  }
}

/// A problem found, and how to reproduce it.
struct FaultProblem: Encodable {
  enum What: String, Encodable, CaseIterable {
    /// An acknowledged write is missing, or is not found.
    case lost
    /// A signal ended a process, other than the injected one.
    case crash
    /// A process did not end in time.
    case hang
    /// A wrong exit code.
    case code = "wrong code"
    /// A wrong result, or a failed check.
    case answer = "wrong answer"
    /// A temporary file was left behind.
    case leftover
  }

  let what: What
  let kind: FaultKind
  let verb: FaultVerb
  /// The call, its number, and how it failed.
  let strike: String
  /// The file of the call, within the store's folder.
  let file: String
  let how: String
  /// The command that reproduces it, unless thread timing prevents that.
  let again: String

  var text: String {
    "\(what.rawValue): \(kind.rawValue) \(verb.rawValue), \(strike)\(file.isEmpty ? "" : " on \(file)"): \(how)\n    \(again)"
  }
}
