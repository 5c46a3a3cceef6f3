#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// An open file or directory, closed with the value.
package final class OpenFile<Failure: FileFailure>: Sendable {
  package let path: String
  package let descriptor: Int32

  /// - Parameter descriptor: Owned from here on.
  init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  // MARK: Opening

  /// Opens a regular file to read and write; a symbolic link is refused.
  ///
  /// - Returns: `nil` if there is none.
  package static func open(_ path: String) throws(Failure) -> OpenFile? {
    try open(path, named: path, in: AT_FDCWD)
  }

  /// Opens a regular file to read only, through symbolic links too: one that a person named.
  ///
  /// - Returns: `nil` if there is none.
  package static func reading(_ path: String) throws(Failure) -> OpenFile? {
    let descriptor = systemOpen(AT_FDCWD, path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else {
      let number = errno
      if number == ENOENT || number == ENOTDIR { return nil }
      throw Failure(FileError(errno: number, "open", path))
    }
    let file = OpenFile(path: path, descriptor: descriptor)
    guard try file.status().kind == .regular else { throw Failure(FileError(.kind, "\(path) is not a regular file")) }
    return file
  }

  /// As `open`, but creates the file if there is none: empty, with mode 0600 whatever the umask.
  package static func openOrCreate(_ path: String) throws(Failure) -> OpenFile {
    try openOrCreate(path, named: path, in: AT_FDCWD)
  }

  /// Creates an empty file with mode 0600, whatever the umask.
  ///
  /// - Returns: `nil` if the name is taken, by a symbolic link included.
  package static func create(_ path: String) throws(Failure) -> OpenFile? {
    try create(path, named: path, in: AT_FDCWD)
  }

  /// Opens a directory, through symbolic links too, to lock or sync it.
  package static func directory(_ path: String) throws(Failure) -> OpenFile {
    let descriptor = systemOpen(AT_FDCWD, path, O_RDONLY | O_DIRECTORY)
    guard descriptor >= 0 else { throw Failure(.last("open", path)) }
    return OpenFile(path: path, descriptor: descriptor)
  }

  static func open(_ path: String, named name: String, in directory: Int32) throws(Failure) -> OpenFile? {
    // Non-blocking, so that a FIFO is told from a file without waiting for its other end.
    let descriptor = systemOpen(directory, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      let number = errno
      if number == ENOENT { return nil }
      throw Failure(number == ELOOP ? .link(path) : FileError(errno: number, "open", path))
    }
    let file = OpenFile(path: path, descriptor: descriptor)
    guard try file.status().kind == .regular else { throw Failure(FileError(.kind, "\(path) is not a regular file")) }
    return file
  }

  static func openOrCreate(_ path: String, named name: String, in directory: Int32) throws(Failure) -> OpenFile {
    // Between the two calls it may come or go, but not without a bound.
    for _ in 0..<8 {
      if let file = try open(path, named: name, in: directory) { return file }
      if let file = try create(path, named: name, in: directory) { return file }
    }
    throw Failure(FileError(errno: EEXIST, "create", path))
  }

  private static func create(_ path: String, named name: String, in directory: Int32) throws(Failure) -> OpenFile? {
    let descriptor = systemOpen(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW)
    guard descriptor >= 0 else {
      if errno == EEXIST || errno == ELOOP { return nil }
      throw Failure(.last("create", path))
    }
    let file = OpenFile(path: path, descriptor: descriptor)
    try file.setMode(0o600)
    return file
  }

  // MARK: Status

  package func status() throws(Failure) -> FileStatus {
    guard let status = FileStatus(descriptor: descriptor) else { throw Failure(.last("examine", path)) }
    return status
  }

  package func setMode(_ mode: UInt32) throws(Failure) {
    guard fchmod(descriptor, mode_t(mode)) == 0 else { throw Failure(.last("set the mode of", path)) }
  }

  /// Whether the kernel has the whole file in memory, so that a change on the disk since it was written cannot be read from it.
  ///
  /// Cost: 20 ns a page.
  package func isInMemory() throws(Failure) -> Bool {
    #if os(Linux)
      let size = Int(try status().size)
      let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
      // One byte a page; 64 MiB at a time.
      var flags = [UInt8](repeating: 0, count: 1 << 14)
      let window = flags.count &* pageSize
      for offset in stride(from: 0, to: size, by: window) {
        let count = min(window, size &- offset)
        guard let map = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, off_t(offset)), map != MAP_FAILED else {
          throw Failure(.last("map", path))
        }
        defer { munmap(map, count) }
        guard mincore(map, count, &flags) == 0 else { throw Failure(.last("examine", path)) }
        let pages = (count &+ pageSize &- 1) / pageSize
        guard flags.prefix(pages).allSatisfy({ $0 & 1 == 1 }) else { return false }
      }
      return true
    #else
      return false
    #endif
  }

  // MARK: Content

  /// Has the kernel begin to read the whole file, in its order rather than in that of the reads to come.
  ///
  /// Cost: 2 µs for each 128 KiB that is in memory already.
  package func readAhead() throws(Failure) {
    #if os(Linux)
      // The kernel begins to read no more than the window of its read-ahead for one call, however much it names.
      let window = 128 << 10
      for offset in stride(from: 0, to: Int(try status().size), by: window) {
        // Advice: where there is none to give, the file is read when it is needed.
        _ = posix_fadvise(descriptor, off_t(offset), off_t(window), POSIX_FADV_WILLNEED)
      }
    #endif
  }

  /// Fills `buffer` from `offset` on.
  ///
  /// - Returns: Bytes read; fewer than asked for at the end of the file.
  package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(Failure) -> Int {
    var filled = 0
    while filled < buffer.count {
      let part = pread(
        descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled, off_t(offset &+ filled))
      if part > 0 {
        filled += part
      } else if part == 0 {
        break
      } else if errno != EINTR {
        throw Failure(.last("read", path))
      }
    }
    return filled
  }

  /// Up to `count` bytes; fewer at the end of the file.
  package func read(_ count: Int, at offset: Int) throws(Failure) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var span = bytes.mutableSpan
    let filled = try span.withUnsafeMutableBytes { buffer throws(Failure) in try read(into: buffer, at: offset) }
    bytes.removeLast(count - filled)
    return bytes
  }

  /// Writes all of `bytes` at the end of the file.
  package func append(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    var offset = try status().size
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let written = pwrite(descriptor, part.baseAddress, part.count, off_t(offset))
      if written > 0 {
        offset &+= Int64(written)
        rest = rest.dropFirst(written)
      } else if errno != EINTR {
        throw Failure(.last("write", path))
      }
    }
  }

  /// Makes `content` all there is in the file, in place.
  package func replaceContent(with content: [UInt8]) throws(Failure) {
    guard pwrite(descriptor, content, content.count, 0) == content.count,
      ftruncate(descriptor, off_t(content.count)) == 0
    else { throw Failure(.last("write", path)) }
  }

  /// Writes `content` behind what is there.
  package func append(_ content: [UInt8]) throws(Failure) {
    let end = try status().size
    guard pwrite(descriptor, content, content.count, off_t(end)) == content.count else {
      throw Failure(.last("write", path))
    }
  }

  /// Gives the file blocks for its first `byteCount` bytes, and that length if it is shorter. A write through a map into a hole
  /// kills the process with SIGBUS if the disk is full.
  package func allocate(_ byteCount: Int) throws(Failure) {
    #if canImport(Darwin)
      if try status().size >= byteCount { return }
      var store = fstore_t(
        fst_flags: UInt32(F_ALLOCATEALL), fst_posmode: F_PEOFPOSMODE, fst_offset: 0, fst_length: off_t(byteCount),
        fst_bytesalloc: 0)
      guard fcntl(descriptor, F_PREALLOCATE, &store) != -1, ftruncate(descriptor, off_t(byteCount)) == 0 else {
        throw Failure(.last("allocate \(byteCount) bytes for", path))
      }
    #else
      let number = posix_fallocate(descriptor, 0, off_t(byteCount))
      guard number == 0 else { throw Failure(FileError(errno: number, "allocate \(byteCount) bytes for", path)) }
    #endif
  }

  /// Makes what was written durable; of a directory, the names in it.
  package func sync() throws(Failure) {
    while fsync(descriptor) != 0 {
      // Some file systems cannot sync a directory and say so; their names are durable or cannot be made so.
      if errno == EINVAL { return }
      if errno != EINTR { throw Failure(.last("sync", path)) }
    }
  }
}

/// Outside the type, whose own `open` would hide it.
private func systemOpen(_ directory: Int32, _ name: String, _ flags: Int32) -> Int32 {
  openat(directory, name, flags | O_CLOEXEC, 0o600)
}
