#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The error type of a module that works with files, such as `LMDBError`: the types of this module throw it, not their own.
package protocol FileFailure: Error {
  init(_ error: FileError)
}

/// A refusal by the file system, or something other than the expected file under a name.
package struct FileError: FileFailure, Hashable, CustomStringConvertible {
  package enum Code: Sendable {
    /// A system call failed.
    case system
    /// A symbolic link, which is never followed.
    case link
    /// A file of another user.
    case owner
    /// A directory, a FIFO or the like in place of a file, or a file in place of a directory.
    case kind
    /// Locked by others until the deadline.
    case busy
  }

  package let code: Code
  /// `errno` of the system call; 0 unless `code` is `.system`.
  package let number: Int32
  /// One line that names the file, the reason and the remedy.
  package let message: String

  package var description: String { message }

  package init(_ error: FileError) { self = error }

  package init(_ code: Code, _ message: String) {
    self.code = code
    number = 0
    self.message = message
  }

  /// - Parameter number: `errno`, read before another call could set it.
  /// - Parameter operation: The verb for `path`: "open".
  /// - Parameter reason: What is more specific than the system's own words.
  package init(errno number: Int32, _ operation: String, _ path: String, reason: String? = nil) {
    code = .system
    self.number = number
    let remedy = number == EACCES || number == EPERM ? "; change its owner or mode" : ""
    message = "cannot \(operation) \(path): \(reason ?? String(cString: strerror(number)))\(remedy)"
  }

  /// A link that another program planted would choose what is read and written.
  package static func link(_ path: String) -> FileError {
    FileError(
      .link, "\(path) is a symbolic link, through which no file of a store is opened; put the file itself there")
  }

  /// Of the system call that has just failed.
  package static func last(_ operation: String, _ path: String) -> FileError {
    FileError(errno: errno, operation, path)
  }
}
