import CZlib
package import FileLocks

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Compresses into an open file, as `gzip` does (RFC 1952).
package struct GzipWriter: ~Copyable {
  /// What is handed to the compressor at once.
  static let bufferBytes: UInt32 = 1 << 17

  private let path: String
  private var stream: gzFile?

  /// - Parameter level: From 1, fast, to 9, small.
  /// - Throws: `GzipError.system`.
  package init(_ file: OpenFile<FileError>, level: Int = 6) throws(GzipError) {
    path = file.path
    // The stream closes its descriptor.
    let descriptor = dup(file.descriptor)
    guard descriptor >= 0 else { throw .system(path: file.path, errno: errno) }
    guard let stream = gzdopen(descriptor, "wb\(min(max(level, 1), 9))") else {
      close(descriptor)
      throw .system(path: file.path, errno: ENOMEM)
    }
    self.stream = stream
    gzbuffer(stream, Self.bufferBytes)
  }

  deinit {
    if let stream { gzclose_w(stream) }
  }

  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(GzipError) {
    guard let stream else { return }
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      let written = gzwrite(stream, part.baseAddress, UInt32(part.count))
      guard written > 0 else { throw GzipError(stream, path) }
      rest = rest.dropFirst(Int(written))
    }
  }

  /// Writes what is left, and the checksum. The file still has to be synced.
  package mutating func finish() throws(GzipError) {
    guard let stream else { return }
    self.stream = nil
    let code = gzclose_w(stream)
    guard code == Z_OK else { throw .system(path: path, errno: code == Z_ERRNO ? errno : EIO) }
  }
}
