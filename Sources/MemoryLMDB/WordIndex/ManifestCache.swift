import Synchronization

/// The manifest that was read last, so that a query after a query does not decode it anew.
///
/// Known by its seal, which is bound to content and epoch: another manifest has another one.
final class ManifestCache: Sendable {
  private struct Entry {
    var seal: UInt64
    var manifest: WordManifest
  }

  private let entry = Mutex<Entry?>(nil)

  subscript(seal: UInt64) -> WordManifest? {
    entry.withLock { $0?.seal == seal ? $0?.manifest : nil }
  }

  func keep(_ manifest: WordManifest, sealed seal: UInt64) {
    entry.withLock { $0 = Entry(seal: seal, manifest: manifest) }
  }
}
