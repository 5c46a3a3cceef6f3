import CZlib
package import FileLocks

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Decompresses an open gzip file, and checks its checksum.
package struct GzipReader: ~Copyable {
  /// The first bytes of a gzip file (RFC 1952).
  package static let magic: [UInt8] = [0x1f, 0x8b]

  private let path: String
  private var stream: gzFile?

  /// Reads from the beginning of the file.
  ///
  /// - Throws: `GzipError.system`.
  package init(_ file: OpenFile<FileError>) throws(GzipError) {
    path = file.path
    // The stream closes its descriptor. A duplicate shares the position.
    let descriptor = dup(file.descriptor)
    guard descriptor >= 0 else { throw .system(path: file.path, errno: errno) }
    guard lseek(descriptor, 0, SEEK_SET) == 0, let stream = gzdopen(descriptor, "rb") else {
      let number = errno
      close(descriptor)
      throw .system(path: file.path, errno: number)
    }
    self.stream = stream
    gzbuffer(stream, GzipWriter.bufferBytes)
  }

  deinit {
    if let stream { gzclose_r(stream) }
  }

  /// Fills the buffer as far as there is content.
  ///
  /// - Returns: Bytes read; fewer than asked for at the end, where the checksum has been compared.
  /// - Throws: `GzipError.notGzip`, `.damaged`.
  package mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(GzipError) -> Int {
    var filled = 0
    while filled < buffer.count, let stream {
      let space = min(buffer.count - filled, 1 << 30)
      let count = gzread(stream, buffer.baseAddress.map { $0 + filled }, UInt32(space))
      guard count >= 0 else { throw GzipError(stream, path) }
      // zlib hands on a file that is none of its own as it is.
      guard gzdirect(stream) == 0 else { throw .notGzip(path: path) }
      if count == 0 {
        self.stream = nil
        // It says here if the file ended before its content did.
        let code = gzclose_r(stream)
        guard code == Z_OK else { throw .damaged(path: path, reason: "it ends before its content does") }
        break
      }
      filled += Int(count)
    }
    return filled
  }
}
