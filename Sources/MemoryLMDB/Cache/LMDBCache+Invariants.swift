import EpisodicMemory
import LMDB

extension LMDBCache {
  /// Verifies, in one snapshot, that entries and rows are a bijection, that the tallies match a recount, and that no
  /// tag is ahead of the watermark. The entries' bytes are left to `check(against:)`.
  ///
  /// - Complexity: O(*n*) in entries and tags, about 100 ns each.
  func checkInvariants() throws(LMDBError) -> [Check] {
    try tier.read { transaction throws(LMDBError) in
      var recount = Recount()
      try countRows(of: tables.window, &recount, in: transaction)
      recount.windowBytes = recount.bytes.values.reduce(0, +)
      recount.windowEntries = recount.entries.values.reduce(0, +)
      try countRows(of: tables.main, &recount, in: transaction)
      try countDeadlines(&recount, in: transaction)
      return [
        Check("cache order", outcome(recount.contradictions)),
        Check("cache counters", outcome(try wrongTallies(recount, in: transaction))),
        Check("cache tags", outcome(try wrongTags(in: transaction))),
      ]
    }
  }

  private struct Recount {
    var contradictions: [String] = []
    var entries: [CacheKey.Kind: Int] = [:]
    var bytes: [CacheKey.Kind: Int] = [:]
    var windowBytes = 0
    var windowEntries = 0
    var lastSequence: UInt64?
  }

  /// Goes through an area and looks at the entry of each row.
  private func countRows(
    of area: Database, _ recount: inout Recount, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    var cursor = try transaction.cursor(in: area)
    while let current = try cursor.next() {
      let sequence = current.integerKey ?? 0
      let row = try OrderRow(current.value)
      recount.entries[row.kind, default: 0] += 1
      recount.bytes[row.kind, default: 0] += Int(row.cost)
      recount.lastSequence = max(recount.lastSequence ?? 0, sequence)
      guard let value = try transaction.get(row.keyHash, in: tables.entries) else {
        recount.contradictions.append("row \(sequence) has no entry")
        continue
      }
      let agrees = value.withUnsafeBytes { bytes in
        guard let entry = CacheEntry(bytes) else { return false }
        let cost = UInt32(clamping: tables.cost(valueBytes: bytes.count))
        return entry.sequence == sequence
          && row == OrderRow(keyHash: row.keyHash, deadline: entry.deadline, cost: cost, kind: row.kind)
          && entry.kind == row.kind
      }
      if !agrees { recount.contradictions.append("row \(sequence) and its entry differ") }
      guard
        let deadline = try transaction.get(CacheTables.deadlineKey(row.deadline, sequence), in: tables.deadlines),
        CacheTables.hash(in: deadline) == row.keyHash
      else {
        recount.contradictions.append("row \(sequence) has no deadline")
        continue
      }
    }
  }

  private func countDeadlines(
    _ recount: inout Recount, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    let rows = recount.entries.values.reduce(0, +)
    let entries = try transaction.count(in: tables.entries)
    let deadlines = try transaction.count(in: tables.deadlines)
    if rows != entries { recount.contradictions.append("\(entries) entries have \(rows) rows") }
    if deadlines != entries { recount.contradictions.append("\(entries) entries have \(deadlines) deadlines") }
  }

  private func wrongTallies(
    _ recount: Recount, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> [String] {
    let tallies = try tables.meta.tallies(epoch: tables.epoch, in: transaction)
    var wrong: [String] = []
    if tallies.windowBytes != recount.windowBytes || tallies.windowEntries != recount.windowEntries {
      wrong.append(
        "\(recount.windowEntries) entries of the window take \(recount.windowBytes) bytes, "
          + "counted were \(tallies.windowEntries) and \(tallies.windowBytes)")
    }
    if let last = recount.lastSequence, last >= tallies.nextSequence {
      wrong.append("the next fill is number \(tallies.nextSequence), and there is one of number \(last)")
    }
    return wrong
      + CacheKey.Kind.allCases.compactMap { kind in
        let (entries, bytes) = (recount.entries[kind] ?? 0, recount.bytes[kind] ?? 0)
        guard tallies[kind].entries != entries || tallies[kind].bytes != bytes else { return nil }
        return "\(entries) entries of kind \(kind.name) take \(bytes) bytes, "
          + "counted were \(tallies[kind].entries) and \(tallies[kind].bytes)"
      }
  }

  private func wrongTags(in transaction: borrowing ReadTransaction) throws(LMDBError) -> [String] {
    let watermark = try tables.meta.watermark(epoch: tables.epoch, in: transaction)
    var wrong: [String] = []
    var cursor = try transaction.cursor(in: tables.tags.database)
    while let tag = try cursor.next()?.integerKey {
      let revision = try tables.tags.lastChange(of: tag, in: transaction)
      guard let watermark, revision <= watermark.revision else {
        wrong.append("a tag changed at \(revision), the watermark is at \(watermark?.revision ?? 0)")
        continue
      }
    }
    return wrong
  }

  /// The worst news in one line: the first few problems, and how many there are.
  func outcome(_ problems: [String]) -> Check.Outcome {
    guard !problems.isEmpty else { return .passed }
    let shown = problems.prefix(3).joined(separator: "; ")
    return .failed(problems.count > 3 ? "\(shown); and \(problems.count - 3) more" : shown)
  }
}
