public import EpisodicMemory
import LMDB

/// The order of everything here: the lock, the place, the primary's rows, the tables, the new place, one commit. So two
/// processes never take in the same changes, and a kill between any two steps leaves what was.
extension LMDBSearchIndex {
  /// Changes that one step takes in.
  static let followBatch = 4096

  public func advance(in snapshot: any PrimarySnapshot) throws(MemoryError) -> IndexProgress {
    try advance(in: snapshot, atMost: nil)
  }

  /// - Parameter limit: Changes that may be taken in; `nil` where a build may go on, too.
  func advance(in snapshot: any PrimarySnapshot, atMost limit: Int?) throws(MemoryError) -> IndexProgress {
    guard isAvailable, condition.mayWrite(at: clock.now()) else { return .unavailable }
    // Errors of the primary pass through the transaction, which they undo.
    var refusal: MemoryError?
    do throws(LMDBError) {
      let progress = try tier.write { transaction throws(LMDBError) in
        do throws(IndexFailure) {
          return try step(in: snapshot, atMost: limit, &transaction)
        } catch {
          switch error {
          case .index(let error): throw error
          case .primary(let error):
            refusal = error
            throw LMDBError(.unavailable, message: "the primary could not be read")
          }
        }
      }
      wrote()
      return progress
    } catch {
      if let refusal { throw refusal }
      switch error.code {
      case .busy:
        couldNotWrite(error)
        return .waiting
      case .damaged:
        failed(error)
        return isAvailable ? .following : .unavailable
      default:
        couldNotWrite(error)
        return .unavailable
      }
    }
  }

  private func step(
    in snapshot: any PrimarySnapshot, atMost limit: Int?, _ transaction: inout WriteTransaction
  ) throws(IndexFailure) -> IndexProgress {
    switch try lmdb({ () throws(LMDBError) in
      try tier.meta.indexPosition(epoch: tier.epoch, in: transaction)
    }) {
    case .following(let watermark, let built):
      return try follow(from: watermark, built: built, in: snapshot, atMost: limit, &transaction)
    case .building(let base, let table, let row, let seen):
      guard limit == nil else { return .building(stage: .words, done: 0, total: 0) }
      let now = try primary { () throws(MemoryError) in try snapshot.watermark() }
      guard now.revision >= seen else { return try refuse(now, at: seen, &transaction) }
      return try build(base, table, behind: row, now.revision, in: snapshot, &transaction)
    case nil:
      guard limit == nil else { return .building(stage: .words, done: 0, total: 0) }
      let base = try primary { () throws(MemoryError) in try snapshot.watermark() }
      let start = IndexPosition.building(base: base, table: .episodes, behind: 0, seen: base.revision)
      return try go(on: start, at: .episodes, 0, in: snapshot, &transaction)
    }
  }

  // MARK: Building

  private func build(
    _ base: Watermark, _ table: IndexedTable, behind row: Int64, _ seen: Int64, in snapshot: any PrimarySnapshot,
    _ transaction: inout WriteTransaction
  ) throws(IndexFailure) -> IndexProgress {
    var batch = IndexBatch(self, budget)
    var last = row
    let limit = budget.limit(for: table)
    switch table {
    case .episodes:
      try primary { () throws(MemoryError) in
        try snapshot.episodes(.after(row, limit: limit)) { episode throws(MemoryError) in
          guard try batch.take(episode, snapshot, &transaction) else { return false }
          last = episode.row
          return true
        }
      }
    case .steps:
      try primary { () throws(MemoryError) in
        try snapshot.steps(.after(row, limit: limit)) { step throws(MemoryError) in
          guard try batch.take(step, snapshot) else { return false }
          last = step.row
          return true
        }
      }
    case .vectors:
      try primary { () throws(MemoryError) in
        try snapshot.vectors(.after(row, limit: limit)) { vector throws(MemoryError) in
          guard batch.take(vector, &transaction) else { return false }
          last = vector.row
          return true
        }
      }
    }
    let isTableDone = !batch.isFull && batch.rows < limit
    try batch.put(&transaction)
    guard isTableDone else {
      let next = IndexPosition.building(base: base, table: table, behind: last, seen: seen)
      return try go(on: next, at: table, last, in: snapshot, &transaction)
    }
    guard let next = IndexedTable(rawValue: table.rawValue + 1) else {
      return try go(on: .following(base, built: seen), at: table, last, in: snapshot, &transaction)
    }
    let start = IndexPosition.building(base: base, table: next, behind: 0, seen: seen)
    return try go(on: start, at: next, 0, in: snapshot, &transaction)
  }

  /// Remembers where a build goes on, and tells how far it has come.
  private func go(
    on position: IndexPosition, at table: IndexedTable, _ row: Int64, in snapshot: any PrimarySnapshot,
    _ transaction: inout WriteTransaction
  ) throws(IndexFailure) -> IndexProgress {
    try lmdb { () throws(LMDBError) in try tier.meta.put(position, epoch: tier.epoch, in: &transaction) }
    return try primary { () throws(MemoryError) in try Self.progress(table, at: row, in: snapshot) }
  }

  /// Counted in rows of the tables, of which few are missing.
  private static func progress(
    _ table: IndexedTable, at row: Int64, in snapshot: any PrimarySnapshot
  ) throws(MemoryError) -> IndexProgress {
    if table == .vectors {
      return .building(
        stage: .vectors, done: Int(clamping: row), total: Int(clamping: try snapshot.lastRow(of: .vectors)))
    }
    let episodes = try snapshot.lastRow(of: .episodes)
    let total = Int(clamping: episodes.addingReportingOverflow(try snapshot.lastRow(of: .steps)).partialValue)
    let done = table == .episodes ? row : episodes.addingReportingOverflow(row).partialValue
    return .building(stage: .words, done: Int(clamping: done), total: total)
  }

  // MARK: Following

  private func follow(
    from watermark: Watermark, built: Int64, in snapshot: any PrimarySnapshot, atMost limit: Int?,
    _ transaction: inout WriteTransaction
  ) throws(IndexFailure) -> IndexProgress {
    if watermark.revision < built {
      // The build has seen rows of later commits than this one's, so a primary that is older than those went back.
      let now = try primary { () throws(MemoryError) in try snapshot.watermark() }
      if now.revision < built { return try refuse(now, at: built, &transaction) }
    }
    var batch = try primary { () throws(MemoryError) in
      try snapshot.changes(after: watermark, limit: limit ?? followSize.count)
    }
    let rows = ChangedRows(batch.changes)
    guard batch.continues, var rows, batch.end.revision >= watermark.revision else {
      let now = try primary { () throws(MemoryError) in try snapshot.watermark() }
      if now.revision < watermark.revision { return try refuse(now, at: watermark.revision, &transaction) }
      guard limit == nil else { return .building(stage: .words, done: 0, total: 0) }
      try lmdb { () throws(LMDBError) in try removeAll(in: &transaction) }
      return .following
    }
    if batch.changes.isEmpty { return .arrived }
    if limit != nil, !batch.isComplete { return .following }
    // What is behind the changes may be more than a step takes: then it ends at an earlier change.
    var wasCut = false
    while let taken = try takeIn(
      rows, budget: batch.changes.count > 1 ? budget : .unlimited, wasCut: wasCut,
      isReplay: watermark.revision < built, snapshot, &transaction)
    {
      wasCut = true
      let fewer = AdaptiveBatchSize.smaller(than: batch.changes.count, taken: taken, of: rows.count)
      batch = try primary { () throws(MemoryError) in try snapshot.changes(after: watermark, limit: fewer) }
      guard let part = ChangedRows(batch.changes) else { return .following }
      rows = part
    }
    try lmdb { () throws(LMDBError) in
      try tier.meta.put(.following(batch.end, built: built), epoch: tier.epoch, in: &transaction)
    }
    return batch.isComplete ? .arrived : .following
  }

  /// Declines a snapshot that is older than what the index knows of. One may have been waiting for the lock; but where one
  /// after another is older, the primary itself went back, and nothing the index knows is worth anything.
  private func refuse(
    _ now: Watermark, at revision: Int64, _ transaction: inout WriteTransaction
  ) throws(IndexFailure) -> IndexProgress {
    guard refusals.isLast(at: revision) else { return .waiting }
    try lmdb { () throws(LMDBError) in try removeAll(in: &transaction) }
    return .following
  }

  /// Takes the rows in as they are in the snapshot, all of them or none.
  ///
  /// - Returns: `nil` where they fitted into the budget; else how many of them did.
  private func takeIn(
    _ rows: ChangedRows, budget: StepBudget, wasCut: Bool, isReplay: Bool, _ snapshot: any PrimarySnapshot,
    _ transaction: inout WriteTransaction
  ) throws(IndexFailure) -> Int? {
    var batch = IndexBatch(self, budget, isReplay: isReplay)
    try lmdb { () throws(LMDBError) in try batch.remember(rows.episodes, in: transaction) }
    batch.depart(groups: rows.emptied, steps: rows.steps, vectors: rows.vectors)
    try primary { () throws(MemoryError) in
      try snapshot.episodes(.listed(rows.episodes)) { episode throws(MemoryError) in
        try batch.take(episode, snapshot, &transaction)
      }
    }
    if batch.isFull { return batch.rows }
    batch.departMissing(rows.episodes)
    if !rows.steps.isEmpty {
      try primary { () throws(MemoryError) in
        try snapshot.steps(.listed(Array(Set(rows.steps.map(\.row))))) { step throws(MemoryError) in
          try batch.take(step, snapshot)
        }
      }
      if batch.isFull { return batch.rows }
    }
    if !rows.vectors.isEmpty {
      try primary { () throws(MemoryError) in
        try snapshot.vectors(.listed(rows.vectors)) { vector throws(MemoryError) in
          batch.take(vector, &transaction)
        }
      }
      if batch.isFull { return batch.rows }
    }
    if !batch.moved.isEmpty {
      let moved = batch.moved
      try primary { () throws(MemoryError) in
        try snapshot.vectors(.ofEpisodes(moved)) { vector throws(MemoryError) in
          batch.retake(vector, &transaction)
        }
      }
      if batch.isFull { return batch.rows }
    }
    followSize.fitted(rows.changes, share: Double(batch.byteCount) / Double(self.budget.bytes), wasCut: wasCut)
    try batch.put(&transaction)
    return nil
  }
}
