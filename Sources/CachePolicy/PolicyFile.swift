import FileLocks

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

  // If a file cannot be opened, created or allocated, private memory serves, so the reason is of no use.

  private static func mapExisting(_ path: String, _ layout: PolicyLayout) -> UnsafeMutableRawPointer? {
    guard let file = try? OpenFile<FileError>.open(path), (try? file.status())?.size == Int64(layout.byteCount),
      let base = map(file, layout)
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
    guard let file = try? OpenFile<FileError>.create(path) else { return nil }
    guard let base = map(file, layout) else {
      unlink(path)
      return nil
    }
    let header = base.assumingMemoryBound(to: UInt64.self)
    header[1] = UInt64(layout.entries)
    header[0] = PolicyLayout.format
    return base
  }

  private static func map(_ file: OpenFile<FileError>, _ layout: PolicyLayout) -> UnsafeMutableRawPointer? {
    // A file with holes would kill the process with SIGBUS on a full disk.
    guard (try? file.allocate(layout.byteCount)) != nil else { return nil }
    let base = mmap(nil, layout.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file.descriptor, 0)
    return base == MAP_FAILED ? nil : base
  }
}
