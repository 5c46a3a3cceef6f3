import EpisodicMemory
import GRDB
import StoreRows

/// What is kept of the table `changes`: at least the last 200,000 changes and those of the last 24 hours, but no more than a
/// million.
///
/// Changes have no time. So the newest revision is noted once an hour, in the setting `feed`: what was there a day ago is older
/// than a day. A clock that jumps ahead leaves the last 200,000 changes; one that goes back takes back the notes that are ahead.
enum FeedPruning {
  /// Changes that a watcher or a follower may always be behind.
  static let length: Int64 = 200_000
  /// In milliseconds.
  static let age: Int64 = 24 * 3_600_000
  /// Rows that there may be, whatever their age: about 100 MB.
  static let bound: Int64 = 1_000_000
  private static let hour: Int64 = 3_600_000
  /// Rows that a round beside commits deletes, unless the bound is exceeded.
  static let rowsAtOnce = 20_000

  /// Deletes the oldest changes that nobody is promised, at most `limit`.
  ///
  /// - Parameter applied: Later changes stay, unless the bound is exceeded, because a follower has yet to apply them; `nil`:
  ///   there is none.
  /// - Returns: How many.
  @discardableResult
  static func prune(_ db: Database, at now: Timestamp, applied: Int64? = nil, limit: Int? = nil) throws -> Int {
    let last = try ChangeFeed.highestRevision(db)
    guard let first = try Int64.fetchOne(db.cachedStatement(sql: "SELECT min(revision) FROM changes")) else { return 0 }
    // The change at which a watcher stands is needed too, to know it by.
    let byNumber = last &- length
    let byAge = try noteHour(last, at: now, db)
    let promised = min(byNumber, byAge, applied ?? .max)
    var end = max(promised, last &- bound)
    if let limit, promised > last &- bound || limit < rowsAtOnce { end = min(end, first &+ Int64(limit)) }
    guard end > first else { return 0 }
    try db.cachedStatement(sql: pruning).execute(arguments: [end])
    return db.changesCount
  }

  static let pruning = "DELETE FROM changes WHERE revision < ? AND revision < (SELECT max(revision) FROM changes)"

  /// Notes the newest revision once an hour.
  ///
  /// - Returns: The newest revision that there was a day ago; 0 if that is not known.
  private static func noteHour(_ last: Int64, at now: Timestamp, _ db: Database) throws -> Int64 {
    let stored = try Setting.value(setting, db)
    let all = notes(in: stored)
    // The clock went back since those that are ahead of it.
    var kept = all.filter { $0.time <= now.milliseconds }
    if kept.last.map({ now.milliseconds - $0.time >= hour }) ?? true { kept.append((now.milliseconds, last)) }
    if let aged = kept.lastIndex(where: { now.milliseconds - $0.time >= age }) { kept.removeFirst(aged) }
    if kept.count != all.count || kept.last?.time != all.last?.time {
      let value = JSON.array(kept.map { [.integer($0.time), .integer($0.revision)] })
      try Setting.set(setting, to: ["hours": value], at: now, db)
    }
    guard let oldest = kept.first, now.milliseconds - oldest.time >= age else { return 0 }
    return oldest.revision
  }

  /// The name of the setting with the notes, which are of this feed alone.
  static let setting = "feed"

  /// Nothing of a value that another program wrote: then notes begin again.
  private static func notes(in setting: JSON?) -> [(time: Int64, revision: Int64)] {
    guard case .array(let elements)? = setting?["hours"] else { return [] }
    var notes: [(time: Int64, revision: Int64)] = []
    for case .array(let pair) in elements {
      guard pair.count == 2, case .integer(let time) = pair[0], case .integer(let revision) = pair[1],
        Timestamp.accepted.contains(Timestamp(milliseconds: time)), time > notes.last?.time ?? .min
      else { return [] }
      notes.append((time, revision))
    }
    return notes
  }
}
