import EpisodicMemory
import Logging
import StoreRows

/// The limits of what a write may add, which only the writer's thread can check.
struct GrowthLimits: Sendable {
  /// Steps of one episode.
  let maximumSteps: Int
  /// `nil` in memory.
  let disk: DiskWatch?

  init(maximumSteps: Int, disk: DiskWatch?) {
    self.maximumSteps = maximumSteps
    self.disk = disk
  }

  /// - Parameter path: Of the database.
  /// - Parameter index: Of the search index, if there may be one.
  init(_ limits: Memory.Limits, path: String, index: String?, logger: Logger) {
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    var watched = [
      DiskWatch.Watched(
        "primary", [path, path + "-wal"], threshold: limits.storeWarningBytes, limit: "storeWarningBytes"),
      DiskWatch.Watched("log", [path + "-wal"], threshold: limits.logWarningBytes, limit: "logWarningBytes"),
    ]
    if let index {
      watched.append(
        DiskWatch.Watched(
          "search index", [index], threshold: limits.indexWarningBytes, limit: "indexWarningBytes"))
    }
    maximumSteps = limits.stepsPerEpisode
    disk = DiskWatch(of: directory.isEmpty ? "/" : directory, floor: limits.minimumFreeBytes, watched: watched) {
      logger.warning("\($0)", metadata: ["event": "primary.file_large", "path": "\(path)"])
    }
  }

  /// Called before rows are added.
  ///
  /// - Throws: `DiskShortage`.
  func requireRoom() throws { try disk?.requireRoom() }
}
