import Episodic
import Foundation

/// Whether the process may open as many files as a command needs.
///
/// Below that, libraries under the command do not fail but end the process (libdispatch cannot do without its own), or
/// report a store that cannot be opened for a reason that it is not.
enum DescriptorRoom {
  /// Of the primary, its log and locks, a read connection, a file that is read or written, and what libdispatch opens;
  /// cache and index are done without if there is not room for them as well.
  private static let needed = 16

  /// - Throws: `.unavailable`, naming the limit.
  static func require() throws(MemoryError) {
    var opened: [Int32] = []
    defer { for descriptor in opened { close(descriptor) } }
    while opened.count < needed {
      let descriptor = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
      guard descriptor < 0 else {
        opened.append(descriptor)
        continue
      }
      guard errno == EMFILE || errno == EINVAL else { return }  // Whatever else it is, opening the store will say.
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      throw MemoryError(
        .unavailable,
        "the process may open \(limit.rlim_cur) files and has room for \(opened.count) more, of \(needed) that the command "
          + "needs; raise the limit (ulimit -n)")
    }
  }
}
