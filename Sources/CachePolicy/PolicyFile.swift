#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A file of the size of a `PolicyLayout` that processes map; private memory if no file can be made.
final class PolicyFile: Sendable {
  let isShared: Bool
  // The pointer never changes; `EvictionPolicy` says who may touch which bytes.
  nonisolated(unsafe) let base: UnsafeMutableRawPointer
  private let byteCount: Int

  init(path: String, layout: PolicyLayout) {
    byteCount = layout.byteCount
    if let mapped = Self.mapExisting(path, layout) ?? Self.mapNew(path, layout) {
      (base, isShared) = (mapped, true)
    } else {
      base = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 4096)
      base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
      isShared = false
    }
  }

  deinit {
    if isShared { munmap(base, byteCount) } else { base.deallocate() }
  }

  /// Maps private memory over the file: other threads of this process may still use the addresses.
  func detach() {
    guard isShared else { return }
    // If the system refuses, the file stays mapped until `deinit`.
    _ = mmap(base, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1, 0)
  }

  private static func mapExisting(_ path: String, _ layout: PolicyLayout) -> UnsafeMutableRawPointer? {
    let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size == layout.byteCount,
      allocate(descriptor, layout), let base = map(descriptor, layout)
    else { return nil }
    let header = base.assumingMemoryBound(to: UInt64.self)
    guard header[0] == PolicyLayout.format, header[1] == UInt64(layout.entries) else {
      munmap(base, layout.byteCount)
      return nil
    }
    return base
  }

  /// Makes a new file: a process that has the old one mapped would be killed by SIGBUS if that were cut short.
  private static func mapNew(_ path: String, _ layout: PolicyLayout) -> UnsafeMutableRawPointer? {
    unlink(path)
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    guard allocate(descriptor, layout), let base = map(descriptor, layout) else {
      unlink(path)
      return nil
    }
    let header = base.assumingMemoryBound(to: UInt64.self)
    header[1] = UInt64(layout.entries)
    header[0] = PolicyLayout.format
    return base
  }

  /// A file with holes would kill the process with SIGBUS on a full disk.
  private static func allocate(_ descriptor: Int32, _ layout: PolicyLayout) -> Bool {
    #if canImport(Darwin)
      var store = fstore_t(
        fst_flags: UInt32(F_ALLOCATEALL), fst_posmode: F_PEOFPOSMODE, fst_offset: 0,
        fst_length: off_t(layout.byteCount), fst_bytesalloc: 0)
      var status = stat()
      guard fstat(descriptor, &status) == 0 else { return false }
      if status.st_size == layout.byteCount { return true }
      return fcntl(descriptor, F_PREALLOCATE, &store) != -1 && ftruncate(descriptor, off_t(layout.byteCount)) == 0
    #else
      return posix_fallocate(descriptor, 0, off_t(layout.byteCount)) == 0
    #endif
  }

  private static func map(_ descriptor: Int32, _ layout: PolicyLayout) -> UnsafeMutableRawPointer? {
    let base = mmap(nil, layout.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    return base == MAP_FAILED ? nil : base
  }
}
