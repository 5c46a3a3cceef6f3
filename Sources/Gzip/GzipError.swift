import CZlib

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Why a file could not be compressed or decompressed.
package enum GzipError: Error, Hashable, CustomStringConvertible {
  /// It does not begin as a gzip file does.
  case notGzip(path: String)
  /// It ends too early, or its content does not have its checksum.
  case damaged(path: String, reason: String)
  /// A system call failed.
  case system(path: String, errno: Int32)

  package var description: String {
    switch self {
    case .notGzip(let path): "\(path) is no gzip file"
    case .damaged(let path, let reason): "\(path) cannot be decompressed: \(reason)"
    case .system(let path, let number): "cannot read or write \(path): \(String(cString: strerror(number)))"
    }
  }

  /// What zlib says of its last operation on an open file.
  init(_ file: gzFile, _ path: String) {
    let number = errno
    var code = Z_OK
    let message = gzerror(file, &code).map { String(cString: $0) } ?? ""
    self = code == Z_ERRNO ? .system(path: path, errno: number) : .damaged(path: path, reason: message)
  }
}
