package import EpisodicMemory
import FileLocks
import GRDB
import SQLiteStorage
import StoreRows

/// Brings what is readable of a damaged store into a new one, and reports what was lost.
package struct Salvage: Sendable {
  /// Pages whose rows are written in one transaction.
  private static let pagesAtOnce = 64

  private let source: DamagedDatabase
  private let target: SQLitePrimaryStore
  private let progress: @Sendable (SalvageProgress) -> Void

  /// Salvages a database that nobody has open; it is only read.
  ///
  /// - Parameter path: Of the damaged database; its log lies beside it.
  /// - Parameter target: A new store, which gets the rows by its own rules.
  /// - Parameter progress: Called some times a second, on any thread.
  /// - Returns: What was brought over; `failedChecks` of the new store included.
  /// - Throws: `.busy` if a process has the damaged database open; `.corrupted` if nothing of it can be recognised.
  package static func run(
    from path: String, into target: SQLitePrimaryStore, report: SalvageReport,
    progress: @escaping @Sendable (SalvageProgress) -> Void
  ) async throws(MemoryError) -> SalvageReport {
    do {
      let source = try await BlockingWork.shared.run {
        try DamagedDatabase(path: path, recognise: table) { done, total in
          progress(SalvageProgress(stage: "pages", done: done, total: total))
        }
      }
      let salvage = Salvage(source: source, target: target, progress: progress)
      return try await salvage.run(report, receipts: receipts(beside: path))
    } catch {
      throw MemoryError(storage: error, path: path)
    }
  }

  /// The table that a row is of.
  @Sendable private static func table(_ rowID: Int64?, _ values: [StoredValue]) -> String? {
    (SalvagedTable.all + [.store]).first { $0.values(rowID, values) != nil }?.name
  }

  /// What was erased from the store, by what is kept in its folder of backups, or beside the file if that is a backup itself.
  private static func receipts(beside path: String) throws(MemoryError) -> [StoredReceipt] {
    var known: Set<ErasureReceipt.ID> = []
    let all =
      try ReceiptFile(in: BackupFolder(besidePrimary: path).path, isOwn: false).receipts()
      + ReceiptFile(beside: path).receipts()
    return all.filter { known.insert($0.receipt.id).inserted }
  }

  private func run(_ empty: SalvageReport, receipts: [StoredReceipt]) async throws -> SalvageReport {
    var report = empty
    let log = source.logFrames
    report.describeFile(
      pageSize: source.pageSize, pages: source.pageCount, lostPages: source.lostPages.count, logFrames: log.used,
      unusedLogFrames: log.unused)
    let identity = try await takeIdentity()
    var versions: [(row: Int64, version: Int64)] = []
    for table in SalvagedTable.all { try await salvage(table, &report, &versions) }
    try await setEmbeddingVersions(versions)
    for loss in try await target.writeRows({ db in try LostKeys.mark(hasSalt: identity?.hasSalt == true, db) }) {
      report.add(loss)
    }
    if let identity {
      try await target.writeRows { db in try StoreLineage.remember(identity.name, at: SystemClock().now(), db) }
    }
    try await repeatErasures(receipts, hasIdentity: identity != nil, &report)
    try await target.note(
      AuditVerb.salvage, Dictionary(report.tables.map { ($0.name, $0.salvaged) }) { first, _ in first })
    report.setFailedChecks(try await target.check())
    return report
  }

  // MARK: Tables

  private func salvage(
    _ table: SalvagedTable, _ report: inout SalvageReport, _ versions: inout [(row: Int64, version: Int64)]
  ) async throws {
    var result = SalvageReport.Table(table.name)
    result.isComplete = source.isWhole(table.name) || !source.lists(table.name) && !source.isDamagedSchema
    let places = source.places(of: table.name)
    let trusts = try await BlockingWork.shared.run { trustsDerived(table, places) }
    for start in stride(from: 0, to: places.count, by: Self.pagesAtOnce) {
      progress(SalvageProgress(stage: table.name, done: start, total: places.count))
      let slice = places[start..<min(start + Self.pagesAtOnce, places.count)]
      let (batch, losses) = try await BlockingWork.shared.run { read(table, slice, trusts: trusts) }
      result.unreadable += losses.count
      for loss in losses { report.add(loss) }
      guard !batch.rows.isEmpty else { continue }
      let outcomes = try await target.writeRows { db in
        for function in Analysis.functions { db.add(function: function) }
        return try batch.insert(db)
      }
      for (row, outcome) in zip(batch.rows, outcomes) {
        count(outcome, of: row, table, &result, &report)
        guard table.name == "episodes", outcome.isSalvaged, let rowID = row.rowID else { continue }
        if case .integer(let version)? = row.values.dropFirst(Self.embeddingVersion).first, version != 0 {
          versions.append((rowID, version))
        }
      }
    }
    try await reportGaps(table, &report)
    report.add(result)
  }

  private static let embeddingVersion = 10

  /// Whether rows keep beside their texts what this build makes of them, so that a row that does not was changed: the build that
  /// wrote them may have made something else of them.
  private func trustsDerived(_ table: SalvagedTable, _ places: [DamagedDatabase.Place]) -> Bool {
    var (agreeing, others) = (0, 0)
    for place in stride(from: 0, to: places.count, by: max(1, places.count / 32)).map({ places[$0] }) {
      for case .row(let rowID, let stored) in source.rows(on: place.page) {
        guard let values = table.values(rowID, stored), let agrees = table.agreesWithDerived(values) else { continue }
        if agrees { agreeing += 1 } else { others += 1 }
      }
    }
    return others * 5 <= agreeing
  }

  private func read(_ table: SalvagedTable, _ places: ArraySlice<DamagedDatabase.Place>, trusts: Bool) -> (
    SalvagedRows, [SalvageReport.Loss]
  ) {
    var rows: [SalvagedRows.Row] = []
    var losses: [SalvageReport.Loss] = []
    for place in places {
      for found in source.rows(on: place.page) {
        switch found {
        case .row(let rowID, let stored):
          if let values = table.values(rowID, stored) {
            if table.isLeftBehind(values) { continue }
            let isDoubtful = trusts && table.agreesWithDerived(values) == false
            rows.append(
              SalvagedRows.Row(rowID: rowID, values: values, isReached: place.isReached, isDoubtful: isDoubtful))
          } else if place.isReached {
            let name = rowID.map { "row \($0)" } ?? "a row of page \(place.page)"
            losses.append(SalvageReport.Loss(table: table.name, reason: "\(name): its values are those of no such row"))
          }
        case .nothing(let reason): losses.append(SalvageReport.Loss(table: table.name, reason: reason))
        }
      }
    }
    return (SalvagedRows(table: table, rows: rows), losses)
  }

  private func count(
    _ outcome: SalvagedRows.Outcome, of row: SalvagedRows.Row, _ table: SalvagedTable,
    _ result: inout SalvageReport.Table, _ report: inout SalvageReport
  ) {
    let name = row.rowID.map { "row \($0)" } ?? "a row"
    if row.isDoubtful, !outcome.isSuperseded {
      report.addDoubtful(
        SalvageReport.Loss(
          table: table.name,
          reason: "\(name): its text was changed, for what is kept beside it was made of another text"))
    }
    switch outcome {
    case .salvaged: result.salvaged += 1
    case .setAside: result.setAside += 1
    case .superseded: break
    case .refused(let reason):
      result.refused += 1
      report.add(SalvageReport.Loss(table: table.name, reason: "\(name): \(reason)"))
    }
  }

  /// Names ranges of row ids whose page is lost, with how many of them were found elsewhere.
  private func reportGaps(_ table: SalvagedTable, _ report: inout SalvageReport) async throws {
    guard let rowID = table.rowID else { return }
    for gap in source.gaps(in: table.name) {
      let found = try await target.readRows { db in
        try Int.fetchOne(
          db, sql: "SELECT count(*) FROM \(table.name) WHERE \(rowID) BETWEEN ? AND ?",
          arguments: [gap.lowerBound, gap.upperBound]) ?? 0
      }
      let first = gap.lowerBound == .min ? "the first" : "\(gap.lowerBound)"
      let last = gap.upperBound == .max ? "the last" : "\(gap.upperBound)"
      report.add(
        SalvageReport.Loss(
          table: table.name,
          reason: "rows \(first) to \(last): the way to them is lost; \(found) of them were found without it"))
    }
  }

  // MARK: What is not inserted as a row

  /// Vectors that are inserted count; what they had counted before stands in the row.
  private func setEmbeddingVersions(_ versions: [(row: Int64, version: Int64)]) async throws {
    for start in stride(from: 0, to: versions.count, by: 1000) {
      let slice = versions[start..<min(start + 1000, versions.count)]
      try await target.writeRows { db in
        var statement = try RawStatement(
          "UPDATE episodes SET embedding_version = ?1 WHERE seq = ?2 AND embedding_version <> ?1", db)
        for (row, version) in slice {
          try statement.bind(version)
          try statement.bind(row)
          try statement.execute()
        }
      }
    }
  }

  /// Takes the key of the receipts over, with which they are verified, and the salt of the keys of domains.
  ///
  /// - Returns: The identity of the damaged store, and whether it had a salt; `nil` if it is lost.
  private func takeIdentity() async throws -> (name: String, hasSalt: Bool)? {
    let table = SalvagedTable.store
    let rows = source.places(of: table.name).flatMap { source.rows(on: $0.page) }.compactMap { found in
      if case .row(let rowID, let stored) = found { table.values(rowID, stored) } else { nil }
    }
    // Without the way to the row, one of an earlier schema may be found that was left behind.
    guard let values = rows.max(by: { $0.count < $1.count }), case .text(let name)? = values.first else { return nil }
    var hasSalt = false
    for (value, column) in zip(values, table.columns).dropFirst() {
      guard case .blob(let key) = value else { continue }
      if column.name == SalvagedTable.salt { hasSalt = true }
      try await target.writeRows { db in
        var statement = try RawStatement("UPDATE store SET \(column.name) = ?", db)
        try key.withUnsafeBytes { try statement.bind($0) }
        try statement.execute()
      }
    }
    return (String(decoding: name, as: UTF8.self), hasSalt)
  }

  /// Erases what was erased from the store, but not from what is salvaged: a backup, or a store whose damage brought it back.
  private func repeatErasures(
    _ receipts: [StoredReceipt], hasIdentity: Bool, _ report: inout SalvageReport
  ) async throws {
    let related = try await target.readRows { db in try ErasureReplay.related(receipts, to: try StoreLineage(db)) }
    guard !related.isEmpty else {
      if !receipts.isEmpty, !hasIdentity {
        report.add(
          SalvageReport.Loss(
            table: "store",
            reason: "the identity of the store is lost, so the \(receipts.count) erasures that receipts beside it name "
              + "could not be done again"))
      }
      return
    }
    let (path, now) = (source.path, SystemClock().now())
    // What is in a copy was not created after it.
    let copiedAt = BackupName(path.split(separator: "/").last.map(String.init) ?? "").flatMap { name in
      BackupFolder.backup(at: path, name)?.createdAt
    }
    try await target.repeatErasures(related, at: min(now, copiedAt ?? now))
    let unfinished = try await target.receipts(unfinished: true)
    if !unfinished.isEmpty {
      try await target.cleanErased(leftBy: nil) { _ in }
      for receipt in unfinished {
        try await target.finishErasure(receipt.id, backups: receipt.backups, at: SystemClock().now())
      }
    }
    try ReceiptFile(in: BackupFolder(besidePrimary: target.database.path).path).add(related)
  }
}

extension SalvagedRows.Outcome {
  fileprivate var isSalvaged: Bool {
    switch self {
    case .salvaged: true
    case .setAside, .superseded, .refused: false
    }
  }

  fileprivate var isSuperseded: Bool {
    if case .superseded = self { true } else { false }
  }
}
