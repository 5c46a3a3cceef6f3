#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Names the time from one start of the machine to the next.
///
/// LMDB runs without syncs: its files are valid within the boot in which they were written, and may be damaged undetectably after a
/// power loss.
struct BootID: Equatable {
  /// `nil` if the system does not tell: then no files are trusted.
  let id: String?

  init(id: String?) { self.id = id }

  static func current() -> BootID { BootID(id: readID()) }

  #if canImport(Darwin)
    private static func readID() -> String? {
      var text = [CChar](repeating: 0, count: 64)
      var size = text.count
      guard sysctlbyname("kern.bootsessionuuid", &text, &size, nil, 0) == 0, size > 1, size <= text.count else {
        return nil
      }
      return String(validating: text[..<(size - 1)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  #else
    private static func readID() -> String? {
      let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { return nil }
      defer { close(descriptor) }
      var bytes = [UInt8](repeating: 0, count: 64)
      let count = read(descriptor, &bytes, bytes.count)
      guard count >= 36 else { return nil }
      return String(validating: bytes[..<36], as: UTF8.self)
    }
  #endif
}
