package import EpisodicMemory
import LMDB
import Synchronization

/// Every step takes the write lock, reads the position and the primary's rows, writes the tables and the new position, and
/// commits once. So two processes never apply the same changes, and a kill between any two instructions leaves the
/// previous commit.
extension LMDBSearchIndex {
  /// Changes that one step applies, at most.
  static let maximumChanges = 4096

  package func advance(in source: any IndexSource) throws(MemoryError) -> IndexProgress {
    try advance(in: source, at: try source.watermark(), atMost: nil)
  }

  /// - Parameter watermark: Of `source`.
  /// - Parameter limit: Changes that may be applied, all or none; `nil` if a build may go on, too.
  func advance(
    in source: any IndexSource, at watermark: Watermark, atMost limit: Int?
  ) throws(MemoryError) -> IndexProgress {
    guard isAvailable, state.mayWrite(at: clock.now()) else { return .unavailable }
    let step: Step
    do throws(IndexFailure) {
      step = try tier.write { transaction throws(IndexFailure) in
        try self.step(in: source, at: watermark, atMost: limit, &transaction)
      }
    } catch {
      switch error {
      case .primary(let error): throw error
      case .index(let error) where error.code == .busy:
        couldNotWrite(error)
        return .waiting
      case .index(let error) where error.code == .damaged:
        failed(error)
        return isAvailable ? .following : .unavailable
      case .index(let error):
        couldNotWrite(error)
        return .unavailable
      }
    }
    wrote()
    switch step {
    case .built(let table, let row): return try progress(of: table, at: row, in: source)
    case .unbuilt: return .building(stage: .words, done: 0, total: 0)
    case .following: return .following
    case .arrived: return .arrived
    case .outdated: return .waiting
    }
  }

  /// The result of one step.
  private enum Step {
    /// A build has come to this row.
    case built(IndexedTable, row: Int64)
    /// The index is not built, and a build may not go on now.
    case unbuilt
    case following
    case arrived
    /// The snapshot is older than the index.
    case outdated
  }

  private func step(
    in source: any IndexSource, at now: Watermark, atMost limit: Int?, _ transaction: inout WriteTransaction
  ) throws(IndexFailure) -> Step {
    switch try position(in: transaction) {
    case .following(let watermark, let built):
      return try follow(from: watermark, built: built, to: now, in: source, atMost: limit, &transaction)
    case _ where limit != nil: return .unbuilt
    case .building(let base, let table, let row, let seen):
      guard now.revision >= seen else { return try decline(at: seen, &transaction) }
      return try build(base, table, after: row, seen: now.revision, in: source, &transaction)
    case nil:
      try put(.building(base: now, table: .episodes, after: 0, seen: now.revision), &transaction)
      return .built(.episodes, row: 0)
    }
  }

  /// - Returns: `nil` if no build has begun.
  func position(in transaction: borrowing some Transaction & ~Copyable) throws(IndexFailure) -> IndexPosition? {
    do throws(LMDBError) {
      return try tier.meta.indexPosition(in: transaction)
    } catch {
      throw .index(error)
    }
  }

  private func put(_ position: IndexPosition, _ transaction: inout WriteTransaction) throws(IndexFailure) {
    do throws(LMDBError) {
      try tier.meta.put(position, in: &transaction)
    } catch {
      throw .index(error)
    }
  }

  /// Removes all content, to be built again.
  private func restart(_ transaction: inout WriteTransaction) throws(IndexFailure) -> Step {
    do throws(LMDBError) { try removeAll(in: &transaction) } catch { throw .index(error) }
    return .following
  }

  /// Declines a snapshot older than the index. It may have waited for the lock; but after 8 consecutive ones the primary was
  /// replaced by an older one, and the index is rebuilt.
  private func decline(at revision: Int64, _ transaction: inout WriteTransaction) throws(IndexFailure) -> Step {
    staleSnapshots.isLast(at: revision) ? try restart(&transaction) : .outdated
  }

  // MARK: Building

  private func build(
    _ base: Watermark, _ table: IndexedTable, after row: Int64, seen: Int64, in source: any IndexSource,
    _ transaction: inout WriteTransaction
  ) throws(IndexFailure) -> Step {
    var batch = IndexBatch(self, budget)
    var last = row
    let limit = budget.limit(for: table)
    switch table {
    case .episodes:
      try source.episodes(.after(row, limit: limit)) { episode throws(IndexFailure) in
        guard try batch.add(episode, source, &transaction) else { return false }
        last = episode.row
        return true
      }
    case .steps:
      try source.steps(.after(row, limit: limit)) { step throws(IndexFailure) in
        guard try batch.add(step, source, transaction) else { return false }
        last = step.row
        return true
      }
    case .vectors:
      try source.vectors(.after(row, limit: limit)) { vector throws(IndexFailure) in
        guard try batch.add(vector, &transaction) else { return false }
        last = vector.row
        return true
      }
    }
    let isTableDone = !batch.isFull && batch.rows < limit
    try batch.write(&transaction)
    guard isTableDone else {
      try put(.building(base: base, table: table, after: last, seen: seen), &transaction)
      return .built(table, row: last)
    }
    guard let next = IndexedTable(rawValue: table.rawValue + 1) else {
      try put(.following(base, built: seen), &transaction)
      return .built(table, row: last)
    }
    try put(.building(base: base, table: next, after: 0, seen: seen), &transaction)
    return .built(next, row: 0)
  }

  /// Counted in rows of the tables, of which few are missing.
  private func progress(
    of table: IndexedTable, at row: Int64, in source: any IndexSource
  ) throws(MemoryError) -> IndexProgress {
    if table == .vectors {
      return .building(
        stage: .vectors, done: Int(clamping: row), total: Int(clamping: try source.lastRow(of: .vectors)))
    }
    let episodes = try source.lastRow(of: .episodes)
    let total = Int(clamping: episodes.addingReportingOverflow(try source.lastRow(of: .steps)).partialValue)
    let done = table == .episodes ? row : episodes.addingReportingOverflow(row).partialValue
    return .building(stage: .words, done: Int(clamping: done), total: total)
  }

  // MARK: Following

  private func follow(
    from watermark: Watermark, built: Int64, to now: Watermark, in source: any IndexSource, atMost limit: Int?,
    _ transaction: inout WriteTransaction
  ) throws(IndexFailure) -> Step {
    // A build reads rows of later commits than its base; a primary older than those was replaced.
    if watermark.revision < built, now.revision < built { return try decline(at: built, &transaction) }
    var batch = try changes(after: watermark, limit ?? batchSize.count, in: source)
    guard batch.continues, var rows = ChangedRows(batch.changes), batch.end.revision >= watermark.revision else {
      if now.revision < watermark.revision { return try decline(at: watermark.revision, &transaction) }
      return limit == nil ? try restart(&transaction) : .unbuilt
    }
    if batch.changes.isEmpty { return .arrived }
    metrics.follows(from: now.revision &- watermark.revision)
    if limit != nil, !batch.isComplete { return .following }
    // The rows of the changes may exceed the budget; then the step ends at an earlier change.
    var wasCut = false
    applying: while true {
      let applied = try apply(
        rows, budget: batch.changes.count > 1 ? budget : .unlimited, wasCut: wasCut,
        isReplay: watermark.revision < built, mostRegrouped: limit ?? .max, source, &transaction)
      let fitting: Int
      switch applied {
      case .completely: break applying
      case .notWithin(let rows): fitting = rows
      case .tooManySteps: return .following
      }
      wasCut = true
      let fewer = AdaptiveBatchSize.smaller(than: batch.changes.count, fitting: fitting, of: rows.count)
      batch = try changes(after: watermark, fewer, in: source)
      guard let part = ChangedRows(batch.changes) else { return .following }
      rows = part
    }
    try put(.following(batch.end, built: built), &transaction)
    metrics.applied(batch.changes.count)
    return batch.isComplete ? .arrived : .following
  }

  private func changes(
    after watermark: Watermark, _ limit: Int, in source: any IndexSource
  ) throws(IndexFailure) -> ChangeBatch {
    do throws(MemoryError) {
      return try source.changes(after: watermark, limit: limit)
    } catch {
      throw .primary(error)
    }
  }

  private enum Application {
    case completely
    /// Nothing was applied: only so many rows are within the budget.
    case notWithin(rows: Int)
    /// Nothing was applied: it would take long.
    case tooManySteps
  }

  /// Applies the rows as they are in the snapshot, all or none.
  ///
  /// - Parameter mostRegrouped: Steps that may be indexed again because their episodes began, ended or changed their domain.
  private func apply(
    _ rows: ChangedRows, budget: StepBudget, wasCut: Bool, isReplay: Bool, mostRegrouped: Int,
    _ source: any IndexSource, _ transaction: inout WriteTransaction
  ) throws(IndexFailure) -> Application {
    var batch = IndexBatch(self, budget, isReplay: isReplay)
    try batch.remove(rows, transaction)
    try source.episodes(.listed(rows.episodes)) { episode throws(IndexFailure) in
      try batch.add(episode, source, &transaction)
    }
    if batch.isFull { return .notWithin(rows: batch.rows) }
    try batch.removeMissing(rows.episodes)
    let regrouped = batch.regrouped
    if !regrouped.isEmpty {
      var left = mostRegrouped
      try source.steps(.ofEpisodes(regrouped.sorted())) { step throws(IndexFailure) in
        left -= 1
        guard left >= 0 else { return false }
        return try batch.add(step, source, transaction)
      }
      if left < 0 { return .tooManySteps }
      if batch.isFull { return .notWithin(rows: batch.rows) }
    }
    if !rows.steps.isEmpty {
      try source.steps(.listed(Array(Set(rows.steps.map(\.row))))) { step throws(IndexFailure) in
        if regrouped.contains(step.episode) { return true }
        return try batch.add(step, source, transaction)
      }
      if batch.isFull { return .notWithin(rows: batch.rows) }
    }
    if !rows.vectors.isEmpty {
      try source.vectors(.listed(rows.vectors)) { vector throws(IndexFailure) in
        try batch.add(vector, &transaction)
      }
      if batch.isFull { return .notWithin(rows: batch.rows) }
    }
    if !batch.moved.isEmpty {
      let moved = batch.moved
      try source.vectors(.ofEpisodes(moved)) { vector throws(IndexFailure) in
        try batch.update(vector, &transaction)
      }
      if batch.isFull { return .notWithin(rows: batch.rows) }
    }
    batchSize.fitted(rows.changes, share: Double(batch.byteCount) / Double(self.budget.bytes), wasCut: wasCut)
    try batch.write(&transaction)
    return .completely
  }
}

/// Counts consecutive snapshots that were older than the index at one revision.
final class StaleSnapshotCounter: Sendable {
  /// Of 8, each but those that waited for the lock together began after the one before.
  private static let limit = 8

  private struct State {
    var revision: Int64 = -1
    var count = 0
  }

  private let state = Mutex(State())

  /// Counts one; true for the eighth at a revision of the index, which then has not moved meanwhile.
  func isLast(at revision: Int64) -> Bool {
    state.withLock { state in
      state = State(revision: revision, count: state.revision == revision ? state.count + 1 : 1)
      guard state.count >= Self.limit else { return false }
      state.count = 0
      return true
    }
  }
}
