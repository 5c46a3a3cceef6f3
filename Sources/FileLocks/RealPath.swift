#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Paths without symbolic links.
package enum RealPath {
  /// Resolves the part of an absolute path that exists, and appends the rest.
  ///
  /// - Throws: `FileError` for a link that leads nowhere, and for what cannot be examined.
  package static func resolve(_ path: String) throws(FileError) -> String {
    var missing: [Substring] = []
    var parts = path.split(separator: "/")
    while true {
      let existing = "/" + parts.joined(separator: "/")
      if let real = realpath(existing, nil) {
        defer { free(real) }
        let base = String(cString: real)
        let rest = missing.reversed().joined(separator: "/")
        return rest.isEmpty ? base : base == "/" ? "/" + rest : base + "/" + rest
      }
      let number = errno
      // A link that leads nowhere is not a name that is free.
      guard number == ENOENT, try FileStatus(of: existing)?.kind != .symbolicLink, let last = parts.popLast(),
        last != "..", last != "."
      else { throw FileError(errno: number, "resolve", path) }
      missing.append(last)
    }
  }
}
