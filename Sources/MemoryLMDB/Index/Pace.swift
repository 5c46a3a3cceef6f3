import Synchronization

/// How many rows one step of following takes: as many as make some megabytes of text, and a tenth of a second of work.
///
/// Texts may be short or a megabyte each, and nobody knows before they are read; so it begins low and learns.
final class Pace: Sendable {
  private static let fewest = 64
  private static let most = 8192
  private static let bytes = 16 << 20

  private let current = Atomic(fewest)

  var rows: Int { current.load(ordering: .relaxed) }

  /// Told of the texts of a step.
  func took(bytes: Int) {
    let rows = rows
    let next = bytes > Self.bytes ? rows / 2 : bytes < Self.bytes / 4 ? rows * 2 : rows
    current.store(min(max(next, Self.fewest), Self.most), ordering: .relaxed)
  }
}
