import Foundation

/// A line on standard error that says how far the benchmark is; silent where nobody watches.
struct Progress {
  private let isWatched = isatty(2) == 1

  func show(_ stage: String, _ done: Int, of total: Int) {
    guard isWatched else { return }
    let share = total > 0 ? 100 * done / total : 100
    FileHandle.standardError.write(Data("\r\u{1B}[K\(stage): \(share) %".utf8))
  }

  func clear() {
    guard isWatched else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
  }
}
