import EpisodicMemory
import FileLocks
import GRDB
import SQLiteStorage

/// Removes what deleted rows leave in the files of the primary. Each step is short, so that commits come between; killed
/// anywhere, the next one begins from the start.
struct PrimaryCleaning {
  let database: any StoredDatabase
  let busyTimeout: Duration
  let progress: @Sendable (Erasure.Progress) -> Void

  /// Pages of full text that one step merges: about 20 ms.
  private static let mergedPages = 64
  /// Free pages that one step overwrites: 1 MiB.
  private static let overwrittenPages = 256
  /// Pages that one read of the verification examines: 64 MiB.
  private static let examinedPages = 1 << 14
  /// How long commits wait for readers of the log, each time.
  private static let waitForReaders = Duration.milliseconds(100)
  private static let pause = Duration.milliseconds(20)

  /// - Parameter texts: Pieces of what was erased; `nil` if they are not known, since another process erased it.
  /// - Throws: `StorageError`; `MemoryError` if a reader keeps the log.
  func run(lookingFor texts: ByteWindows?) async throws {
    try await mergeFullText()
    try await overwriteFreePages()
    try await truncateLog()
    progress(Erasure.Progress(.verification))
    guard try await isLeft(texts) else { return }
    progress(Erasure.Progress(.rewrite))
    try await database.maintain { db in try db.vacuumThroughFile() }
    try await truncateLog()
  }

  /// Has each full-text index write all words again, without those of deleted rows.
  private func mergeFullText() async throws {
    for (number, text) in TextIndex.allCases.enumerated() {
      progress(Erasure.Progress(.fullText, done: number, total: TextIndex.allCases.count))
      // The first puts all segments into one merge; each further one does a part of it.
      var begins = true
      // Writers may go on adding what could be merged; twice as many pages as there are hold all that was there.
      let mostSteps = try await database.read { db in
        2 * (try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0) / Self.mergedPages + 16
      }
      for _ in 0..<mostSteps {
        let isFirst = begins
        let slice = try await database.write { db in
          try TextMerge.merge(text, pages: Self.mergedPages, begins: isFirst, db)
        }
        if slice.isComplete { break }
        try Task.checkCancellation()
        begins = false
      }
    }
  }

  /// Free pages have been overwritten when they became free, unless an earlier version freed them.
  private func overwriteFreePages() async throws {
    let leftover = try await database.read { db in
      try Int.fetchOne(db, sql: "SELECT count(*) FROM overwritten_pages") ?? 0
    }
    // The header in the file and the free pages must be of one moment.
    if leftover == 0 {
      try await truncateLog()
      guard try await database.read({ db in try UnusedBytes(db).hasContentInFreePages() }) else { return }
    }
    var total = 0
    while true {
      let left = try await database.write { db -> Int in
        let free = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
        guard free > 0 else { return 0 }
        let pageSize = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4096
        try db.execute(
          sql: "INSERT INTO overwritten_pages (zeros) VALUES (zeroblob(?))",
          arguments: [min(free, Self.overwrittenPages) * (pageSize - 4)])
        return free
      }
      total = max(total, left)
      progress(Erasure.Progress(.freePages, done: total - left, total: total))
      if left <= Self.overwrittenPages { break }
      try Task.checkCancellation()
    }
    while try await database.write({ db -> Bool in
      try db.execute(
        sql: "DELETE FROM overwritten_pages WHERE seq = (SELECT max(seq) FROM overwritten_pages)")
      return db.changesCount > 0
    }) {}
  }

  /// - Throws: `.busy` if there is a reader all the time.
  private func truncateLog() async throws {
    progress(Erasure.Progress(.log))
    var wait = BoundedWait(busyTimeout, pause: Self.pause)
    while !(try await database.truncateLog(waitingAtMost: Self.waitForReaders)) {
      try await wait.pause(
        for: "a reader has kept the log of \(database.path) for \(busyTimeout); end it, and call resumeErasures()")
    }
  }

  /// Whether a piece of the texts may be left in the file.
  private func isLeft(_ texts: ByteWindows?) async throws -> Bool {
    guard let texts, texts.isComplete else { return true }
    let overflow = try await forEachPart(OverflowPages()) { unused, pages, overflow in
      try unused.addOverflow(of: pages, to: &overflow)
      return true
    }
    return try await forEachPart(false) { unused, pages, isFound in
      isFound = try unused.contain(texts, in: pages, but: overflow)
      return !isFound
    }
  }

  /// Calls `body` with the pages of the file, in parts, until it returns false.
  private func forEachPart<Value: Sendable>(
    _ initial: Value, _ body: @escaping @Sendable (UnusedBytes, ClosedRange<Int>, inout Value) throws -> Bool
  ) async throws -> Value {
    var value = initial
    var first = 1
    while true {
      let (start, before) = (first, value)
      let (after, count) = try await database.read { db -> (Value, Int) in
        var value = before
        let unused = try UnusedBytes(db)
        let last = min(unused.pageCount, start + Self.examinedPages - 1)
        guard start <= last, try body(unused, start...last, &value) else { return (value, 0) }
        return (value, unused.pageCount)
      }
      value = after
      first += Self.examinedPages
      progress(Erasure.Progress(.verification, done: min(first - 1, count), total: count))
      if first > count { return value }
      try Task.checkCancellation()
    }
  }
}
