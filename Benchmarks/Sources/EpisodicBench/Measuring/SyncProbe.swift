import CRawSQLite
import Foundation

/// A file beside the stores that is synced now and then: what the disk of this run costs.
final class SyncProbe {
  private let descriptor: Int32
  private(set) var series = Series("sync", "append a page of 4 KiB to a file and sync its data")

  init(in scratch: ScratchDirectory) throws {
    descriptor = open(scratch.path(of: "sync-probe"), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else {
      throw BenchError("\(scratch.path) takes no file: \(String(cString: strerror(errno)))")
    }
  }

  deinit { close(descriptor) }

  func sample() throws {
    let start = raw_now()
    guard raw_sync(descriptor) > 0 else { throw BenchError("fdatasync failed: \(String(cString: strerror(errno)))") }
    series.record(since: start)
  }
}
