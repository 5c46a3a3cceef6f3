import ArgumentParser
import CFaults
import Foundation

/// A kind of system call at which a program can be struck.
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

  /// Those that change a file, or decide who may: a process that is killed between two of them has left different traces.
  static let changing = allCases.filter { $0 != .read && $0 != .pread }
  static let locking: [FaultCall] = [.flock, .fcntl]

  /// What a call of this kind may fail with on a full or broken disk, in a process or on a machine that has run out of
  /// something, and under a signal, by its manual page.
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

/// How a call fails, under the name that the manual pages give it.
enum FaultError: String, CaseIterable, Codable, ExpressibleByArgument {
  case EIO, ENOSPC, EINTR, EMFILE, ENOMEM, EACCES, EAGAIN, ENOLCK
  /// It does not fail: it reads or writes half of what it was asked to.
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
