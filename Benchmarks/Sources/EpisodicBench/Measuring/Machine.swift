import CRawSQLite
import Foundation

/// The machine and settings that the figures depend on.
struct Machine: Encodable {
  let cores: Int
  let system: String
  let sqlite: String
  let durability: String
  /// Median time to append a page of 4 KiB to a file in the same folder and sync its data, in the same run.
  let syncNanoseconds: UInt64

  init(durability: String, sync: Series) {
    cores = ProcessInfo.processInfo.activeProcessorCount
    system = ProcessInfo.processInfo.operatingSystemVersionString
    sqlite = String(cString: raw_sqlite_version())
    self.durability = durability
    syncNanoseconds = sync.median
  }

  var text: String {
    """
    \(cores) cores, \(system); SQLite \(sqlite); durability \(durability); \
    write and fdatasync of one page: median \(syncNanoseconds.grouped) ns
    """
  }

  enum CodingKeys: String, CodingKey {
    case cores, system, sqlite, durability
    case syncNanoseconds = "fdatasync_p50_ns"
  }
}

/// Measures a sync of the disk during the run, with a file beside the stores.
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
