import CRawSQLite
import Foundation

/// What the figures depend on besides the code.
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
