import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// What decides who is evicted: references, frequencies and shadow caches in memory that processes share.
///
/// The file is a hint, never synchronised: whatever bytes are in it, the cache answers right, with a worse hit rate.
/// `recordHit` is lock-free and open to all; everything else belongs under the cache's write lock, which only one
/// process holds at a time.
final class PolicyMap: Sendable {
  let layout: PolicyLayout
  /// Whether other processes see it and it outlives this one; otherwise there was no file to be had.
  let isShared: Bool
  nonisolated(unsafe) let base: UnsafeMutableRawPointer

  /// Maps the file at `path`; one that was made for another number of entries is replaced. Not to be called by two
  /// processes at once: hold the lock of `EpochFile`.
  ///
  /// - Parameter entries: How many entries the cache can be expected to hold, 32...1,000,000; others are clamped.
  static func open(at path: String, entries: Int) -> PolicyMap {
    let layout = PolicyLayout(entries: entries)
    if let base = mapExisting(path, layout) ?? mapNew(path, layout) {
      return PolicyMap(layout, isShared: true, base: base)
    }
    let base = UnsafeMutableRawPointer.allocate(byteCount: layout.byteCount, alignment: 4096)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: layout.byteCount)
    return PolicyMap(layout, isShared: false, base: base)
  }

  private init(_ layout: PolicyLayout, isShared: Bool, base: UnsafeMutableRawPointer) {
    self.layout = layout
    self.isShared = isShared
    self.base = base
  }

  deinit {
    if isShared { munmap(base, layout.byteCount) } else { base.deallocate() }
  }

  /// Puts memory of this process's own in the place of the file, so that a removed file gives its room back, while others of this
  /// process may still be using the map.
  func detach() {
    guard isShared else { return }
    // Where the system refuses, the file stays until the value goes.
    _ = mmap(base, layout.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1, 0)
  }

  private static func mapExisting(_ path: String, _ layout: PolicyLayout) -> UnsafeMutableRawPointer? {
    let descriptor = systemOpen(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
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

  /// In a new file: others may have the old one mapped, and would die if it were cut short.
  private static func mapNew(_ path: String, _ layout: PolicyLayout) -> UnsafeMutableRawPointer? {
    unlink(path)
    let descriptor = systemOpen(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW)
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

  /// A file with holes would kill the process with SIGBUS when the disk is full.
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

/// Outside the type, whose own `open` would hide it.
private func systemOpen(_ path: String, _ flags: Int32) -> Int32 { open(path, flags, 0o600) }
