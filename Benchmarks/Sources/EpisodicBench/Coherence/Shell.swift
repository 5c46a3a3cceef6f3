import Foundation

/// The `sqlite3` shell as a writer that knows nothing of caches.
///
/// It leaves checkpoints to the library, as the library's own connections do: SQLite before 3.51.3 can corrupt a
/// database that is checkpointed in two places at once, and that is not what is tested.
final class Shell {
  private static let done = "done"

  /// The shell that the `PATH` leads to; `nil` where there is none.
  static var path: String? {
    let folders = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return folders.split(separator: ":").map { $0 + "/sqlite3" }.first { access($0, X_OK) == 0 }
  }

  let process: WorkerProcess
  private var isBusy = false

  init(_ path: String, store: String) throws {
    process = try WorkerProcess(path, ["-batch", "-bail", store + "/memory.sqlite"])
    _ = process.send(".timeout 30000")
    _ = process.send(".dbconfig no_ckpt_on_close on")
    _ = process.send("PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = NORMAL;")
    _ = process.send("SELECT '\(Self.done)';")
    while let line = try process.readLine() {
      if line == Self.done { return }
    }
    throw BenchError("\(path) does not take our settings")
  }

  /// Starts to run a statement, and does not wait for it.
  func run(_ statement: String) {
    isBusy = process.send("\(statement) SELECT '\(Self.done)';")
  }

  /// Waits for what it runs.
  ///
  /// - Returns: Whether it ran something, and that is committed.
  func finish() throws -> Bool {
    guard isBusy else { return false }
    isBusy = false
    return try process.readLine() == Self.done
  }
}
