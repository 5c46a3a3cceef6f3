import LMDB
import Synchronization

/// Keeps what a build or a merge has walked through from counting as this process's memory: after so many bytes, the
/// pages of the map are let go.
final class MappedPages: Sendable {
  private static let most = 32 << 20

  private let environment: Environment
  private let touched = Atomic(0)

  init(of environment: Environment) { self.environment = environment }

  /// Told of bytes that were read from the map or written to the file.
  func touch(_ bytes: Int) {
    guard touched.wrappingAdd(bytes, ordering: .relaxed).newValue > Self.most else { return }
    release()
  }

  /// Releases the pages now. They are read again from the page cache when they are needed.
  func release() {
    touched.store(0, ordering: .relaxed)
    // One that is closed has no map left.
    try? environment.releaseMappedPages()
  }
}
