#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// What the files in a directory must share to be trusted: this boot of the machine, and this very directory.
///
/// LMDB runs without syncs, so after a power loss its files may be damaged without a sign of it; and a copy of a
/// directory that is in use may be torn. Neither can happen inside one boot and one directory.
struct Epoch: Equatable {
  /// `nil` where the system does not tell: then nothing that is found can be trusted.
  let boot: String?

  init(boot: String?) { self.boot = boot }

  static func current() -> Epoch { Epoch(boot: readBoot()) }

  #if canImport(Darwin)
    private static func readBoot() -> String? {
      var text = [CChar](repeating: 0, count: 64)
      var size = text.count
      guard sysctlbyname("kern.bootsessionuuid", &text, &size, nil, 0) == 0, size > 1, size <= text.count else {
        return nil
      }
      return String(validating: text[..<(size - 1)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  #else
    private static func readBoot() -> String? {
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
