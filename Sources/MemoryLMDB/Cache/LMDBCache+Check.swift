import ByteCoding
package import EpisodicMemory
import LMDB

extension LMDBCache {
  /// Entries examined in one snapshot: a read transaction must not live across a suspension, nor for long.
  private static let chunk = 64
  private static let catchUpTries = 8

  /// Verifies the tables, the checksum of every entry, and that the entries that would be served equal the primary.
  ///
  /// Others may write meanwhile: a difference counts only if the entry is still there and current after the cache has
  /// applied every change up to a second read of the primary.
  ///
  /// - Complexity: Reads every entry once, and from the primary every episode and pattern that is in the cache.
  package func check(against primary: any PrimaryStore) async -> [MemoryCheck] {
    guard isAvailable else { return [] }
    do throws(LMDBError) {
      var checks = try checkInvariants()
      var damaged: [String] = []
      var differences: [String] = []
      var start: UInt64? = 0
      while let next = start {
        let section = try section(from: next)
        damaged += section.damaged
        for entry in section.entries {
          if let difference = await difference(of: entry, from: primary) { differences.append(difference) }
        }
        start = section.next
      }
      checks.append(MemoryCheck("cache checksums", outcome(damaged)))
      checks.append(MemoryCheck("cache against primary", outcome(differences)))
      return checks
    } catch {
      failed(error)
      return [MemoryCheck("cache", .failed("\(error)"))]
    }
  }

  // MARK: Entries against the primary

  /// Entries with consecutive hashes.
  private struct Section {
    var damaged: [String] = []
    /// Those that would be served now.
    var entries: [SampledEntry] = []
    /// Where the next one starts; `nil` after the last.
    var next: UInt64?
  }

  private func section(from start: UInt64) throws(LMDBError) -> Section {
    let now = clock.now()
    return try tier.read { transaction throws(LMDBError) in
      var section = Section()
      section.next = start
      var cursor = try transaction.cursor(in: tables.entries)
      for _ in 0..<Self.chunk {
        guard let next = section.next, let entry = try cursor.seek(atOrAfter: next), let hash = entry.integerKey else {
          section.next = nil
          break
        }
        do throws(LMDBError) {
          if let sampled = try sample(entry.value, hash: hash, now: now, in: transaction) {
            section.entries.append(sampled)
          }
        } catch let error where error.code == .damaged && error.returnCode == 0 {
          section.damaged.append(error.message)
        }
        section.next = hash == .max ? nil : hash + 1
      }
      return section
    }
  }

  /// - Returns: `nil` for an entry that would not be served, or has no counterpart in the primary.
  /// - Throws: `.damaged` for bytes that were not stored so.
  private func sample(
    _ value: RawSpan, hash: UInt64, now: Timestamp, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> SampledEntry? {
    try value.withUnsafeBytes { bytes throws(LMDBError) in
      guard let entry = CacheEntry(verifying: bytes, hash: hash, generation: tables.generation) else {
        throw LMDBError(.damaged, message: "the entry at \(hash) is not what was stored")
      }
      guard let key = entry.key, key.hash == hash else {
        throw LMDBError(.damaged, message: "the entry at \(hash) has another key")
      }
      guard entry.deadline > now.milliseconds, try tables.isCurrent(entry, in: transaction) else { return nil }
      do throws(MalformedBytes) {
        return try SampledEntry(entry, key: key, hash: hash)
      } catch {
        throw LMDBError(.damaged, message: "\(key) is not a value of its kind")
      }
    }
  }

  private func difference(of entry: SampledEntry, from primary: any PrimaryStore) async -> String? {
    do throws(MemoryError) {
      if try await entry.value(in: primary) == entry.value { return nil }
      // The primary may be newer than the cache. Apply its changes, and see whether the entry survives them.
      guard try await catchUp(with: primary), isServed(entry) else { return nil }
      let truth = try await entry.value(in: primary)
      if truth == entry.value { return nil }
      // No change may lie between the changes applied and this read.
      guard try await catchUp(with: primary), isServed(entry) else { return nil }
      return truth == .absent ? "\(entry.key) is gone from the primary" : "\(entry.key) differs from the primary"
    } catch {
      return "\(entry.key) could not be compared: \(error)"
    }
  }

  /// - Returns: Whether the cache has applied every change up to now.
  private func catchUp(with primary: any PrimaryStore) async throws(MemoryError) -> Bool {
    for _ in 0..<Self.catchUpTries {
      switch try await catchUp(with: primary, to: try primary.commitStamp()) {
      case .applied: return true
      case .overtaken: continue
      case .busy, .unavailable: return false
      }
    }
    return false
  }

  /// Whether this very entry is still there and current.
  private func isServed(_ sampled: SampledEntry) -> Bool {
    do throws(LMDBError) {
      return try tier.read { transaction throws(LMDBError) in
        guard let value = try transaction.get(sampled.hash, in: tables.entries) else { return false }
        return try value.withUnsafeBytes { bytes throws(LMDBError) in
          guard let entry = CacheEntry(bytes), entry.sequence == sampled.sequence else { return false }
          return try tables.isCurrent(entry, in: transaction)
        }
      }
    } catch {
      failed(error)
      return false
    }
  }

  // MARK: Invariants

  /// Verifies, in one snapshot, that entries and rows are a bijection, that the counters equal a recount, and that no tag
  /// is ahead of the watermark. `check(against:)` verifies the entries' bytes.
  ///
  /// - Complexity: O(*n*) in entries and tags, about 100 ns each.
  func checkInvariants() throws(LMDBError) -> [MemoryCheck] {
    try tier.read { transaction throws(LMDBError) in
      var recount = Recount()
      try countRows(of: tables.window, &recount, in: transaction)
      recount.windowBytes = recount.bytes.values.reduce(0, +)
      recount.windowEntries = recount.entries.values.reduce(0, +)
      try countRows(of: tables.main, &recount, in: transaction)
      try countDeadlines(&recount, in: transaction)
      return [
        MemoryCheck("cache order", outcome(recount.contradictions)),
        MemoryCheck("cache counters", outcome(try wrongCounters(recount, in: transaction))),
        MemoryCheck("cache tags", outcome(try wrongTags(in: transaction))),
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

  /// Counts the rows of an area and compares each with its entry.
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
      guard let value = try transaction.get(row.hash, in: tables.entries) else {
        recount.contradictions.append("row \(sequence) has no entry")
        continue
      }
      let agrees = value.withUnsafeBytes { bytes in
        guard let entry = CacheEntry(bytes) else { return false }
        let cost = UInt32(clamping: tables.cost(valueBytes: bytes.count))
        return entry.sequence == sequence && entry.deadline == row.deadline && cost == row.cost
          && entry.kind == row.kind
      }
      if !agrees { recount.contradictions.append("row \(sequence) and its entry differ") }
      guard
        let deadline = try transaction.get(CacheTables.deadlineKey(row.deadline, sequence), in: tables.deadlines),
        CacheTables.hash(in: deadline) == row.hash
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

  private func wrongCounters(
    _ recount: Recount, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> [String] {
    let counters = try tables.meta.counters(in: transaction)
    var wrong: [String] = []
    if counters.windowBytes != recount.windowBytes || counters.windowEntries != recount.windowEntries {
      wrong.append(
        "\(recount.windowEntries) entries of the window take \(recount.windowBytes) bytes, "
          + "counted were \(counters.windowEntries) and \(counters.windowBytes)")
    }
    if let last = recount.lastSequence, last >= counters.nextSequence {
      wrong.append("the next fill is number \(counters.nextSequence), and there is one of number \(last)")
    }
    return wrong
      + CacheKey.Kind.allCases.compactMap { kind in
        let (entries, bytes) = (recount.entries[kind] ?? 0, recount.bytes[kind] ?? 0)
        guard counters[kind].entries != entries || counters[kind].bytes != bytes else { return nil }
        return "\(entries) entries of kind \(kind.name) take \(bytes) bytes, "
          + "counted were \(counters[kind].entries) and \(counters[kind].bytes)"
      }
  }

  private func wrongTags(in transaction: borrowing ReadTransaction) throws(LMDBError) -> [String] {
    let watermark = try tables.meta.position(in: transaction)?.watermark
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

  /// The first three problems, and how many more there are.
  private func outcome(_ problems: [String]) -> MemoryCheck.Outcome {
    guard !problems.isEmpty else { return .passed }
    let shown = problems.prefix(3).joined(separator: "; ")
    return .failed(problems.count > 3 ? "\(shown); and \(problems.count - 3) more" : shown)
  }
}

/// An entry read from the cache to compare it with the primary.
private struct SampledEntry: Sendable {
  enum Value: Equatable, Sendable {
    case episode(Episode)
    case pattern(Pattern)
    /// The primary has nothing under the key.
    case absent
  }

  let key: CacheKey
  let hash: UInt64
  /// Tells it from a later entry of the same key.
  let sequence: UInt64
  let value: Value

  /// - Returns: `nil` for a kind without a counterpart in the primary.
  /// - Throws: If the payload is no such value, or not that of the key.
  init?(_ entry: CacheEntry, key: CacheKey, hash: UInt64) throws(MalformedBytes) {
    switch key.kind {
    case .query: return nil
    case .episode, .pattern: break
    }
    if entry.isAbsent {
      value = .absent
    } else if key.kind == .episode {
      let episode = try Episode(from: EncodedValue([UInt8](entry.payload)))
      guard CacheKey.episode(episode.id) == key else { throw MalformedBytes() }
      value = .episode(episode)
    } else {
      let pattern = try Pattern(from: EncodedValue([UInt8](entry.payload)))
      guard CacheKey.pattern(pattern.type, hash: pattern.dataHash, domain: pattern.domain) == key else {
        throw MalformedBytes()
      }
      value = .pattern(pattern)
    }
    self.key = key
    self.hash = hash
    sequence = entry.sequence
  }

  /// What the primary has under the key.
  func value(in primary: any PrimaryStore) async throws(MemoryError) -> Value {
    switch key.kind {
    case .episode:
      return try await primary.episode(Episode.ID(rawValue: key.name), steps: .all).value.map(Value.episode) ?? .absent
    case .pattern:
      guard let (type, hash, domain) = patternName else { return .absent }
      return try await primary.pattern(type, hash: hash, domain: domain).value.map(Value.pattern) ?? .absent
    case .query: return .absent
    }
  }

  /// What names the pattern of the key; `nil` for a key that no pattern has.
  private var patternName: (type: PatternType, hash: String, domain: String?)? {
    if case .pattern(let pattern) = value { return (pattern.type, pattern.dataHash, pattern.domain) }
    guard let match = key.name.wholeMatch(of: /(.+?):([0-9a-f]{64})(?::(.+))?/.dotMatchesNewlines()) else { return nil }
    return (PatternType(rawValue: String(match.1)), String(match.2), match.3.map(String.init))
  }
}
