import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

/// Compares the rows of a store with the last digests that its audit has of them.
struct RowVerification {
  /// The digest of an id, as a key that needs no allocation.
  private struct Key: Hashable {
    let words: SIMD4<UInt64>

    init(_ digest: [UInt8]) {
      var words = SIMD4<UInt64>()
      withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: digest.prefix(32)) }
      self.words = words
    }
  }

  private struct Content {
    let digest: [UInt8]
    let record: Int64
  }

  private struct Steps {
    let first: Int64
    let count: Int64
    let content: Content
  }

  /// What the records say of an episode or a pattern.
  private struct State {
    /// `nil` if no record has a digest of the row.
    var row: Content?
    var steps: [Steps] = []
    /// The record by which it is gone; `nil` while it is there.
    var removed: Int64?
    var isSeen = false
  }

  private var episodes: [Key: State] = [:]
  private var patterns: [Key: State] = [:]

  /// Takes the next record of the chain.
  mutating func add(_ record: AuditRecord) {
    AuditSubjects.forEach(in: record.subjectBytes) { entry in
      let key = Key(entry.id)
      switch entry.kind {
      case .episode: Self.apply(entry, record.number, to: &episodes[key, default: State()])
      case .pattern: Self.apply(entry, record.number, to: &patterns[key, default: State()])
      }
    }
  }

  private static func apply(_ entry: AuditSubjects.Entry, _ record: Int64, to state: inout State) {
    let content = Content(digest: entry.content, record: record)
    switch entry.change {
    case .named: break
    case .written: state = State(row: content)
    case .changed: state.row = content
    case .steps: state.steps.append(Steps(first: entry.first, count: entry.count, content: content))
    case .removed: state = State(removed: record)
    }
  }

  /// Compares, in the snapshot that the records are of.
  mutating func run(_ db: Database, _ result: inout AuditVerification) throws {
    let digests = try ErasureDigests(db)
    var rows = AuditVerification.Rows()
    try compareEpisodes(digests, db, &rows, &result)
    try comparePatterns(digests, db, &rows, &result)
    report(missing: episodes, "an episode", &result)
    report(missing: patterns, "a pattern", &result)
    result.rows = rows
  }

  private mutating func compareEpisodes(
    _ digests: ErasureDigests, _ db: Database, _ rows: inout AuditVerification.Rows, _ result: inout AuditVerification
  ) throws {
    var row = try RawStatement("\(RowContent.selectEpisode) ORDER BY seq", db)
    while try row.step() {
      // What is left of a deleted one is no episode any more.
      if row.bytes(RowContent.episodeDomain).elementsEqual(Validation.reservedDomain.utf8) { continue }
      let key = Key(digests.bytes(Erasure.Subject.episode.rawValue, row.bytes(0)))
      let name = "episode \"\(String(storedName: row.bytes(0)))\""
      var state = episodes[key]
      if let removed = state?.removed {
        result.found(.rowReturned, removed, "the \(name) is there, and by record \(removed) it is gone")
      } else if let content = state?.row {
        rows.episodes += 1
        var found = RowContent(.episode)
        try found.write(episode: row, db)
        compare(found, content, name, digests, &result)
      } else {
        rows.unrecorded += 1
      }
      let domain = row.text(RowContent.episodeDomain)
      try compareSteps(of: row.bytes(0), in: domain, state?.steps ?? [], name, digests, db, &rows, &result)
      state?.isSeen = true
      episodes[key] = state
    }
  }

  private func compareSteps(
    of id: UnsafeRawBufferPointer, in domain: String, _ recorded: [Steps], _ name: String, _ digests: ErasureDigests,
    _ db: Database,
    _ rows: inout AuditVerification.Rows, _ result: inout AuditVerification
  ) throws {
    var rest = recorded.sorted { $0.first < $1.first }[...]
    var found = RowContent(.steps)
    var count: Int64 = 0
    func finish(_ range: Steps) {
      let last = range.first.addingReportingOverflow(range.count &- 1).partialValue
      let steps = range.count == 1 ? "step \(range.first)" : "steps \(range.first) to \(last)"
      guard count == range.count else {
        return result.found(
          .rowMissing, range.content.record,
          "of \(steps) of the \(name), by record \(range.content.record), there are \(count)")
      }
      compare(found, range.content, "\(steps) of the \(name)", digests, &result)
    }
    func begin() {
      found = RowContent(.steps)
      found.write(id)
      count = 0
    }
    begin()
    var row = try RawStatement(RowContent.selectSteps, db)
    try row.bind(text: id)
    while try row.step() {
      let number = row.integer(0)
      while let range = rest.first, number &- range.first >= range.count {
        finish(range)
        begin()
        rest = rest.dropFirst()
      }
      guard let range = rest.first, number >= range.first else {
        rows.unrecorded += 1
        continue
      }
      rows.steps += 1
      count += 1
      try found.write(step: row, of: String(decoding: id, as: UTF8.self), in: domain, db)
    }
    while let range = rest.popFirst() {
      finish(range)
      begin()
    }
  }

  private mutating func comparePatterns(
    _ digests: ErasureDigests, _ db: Database, _ rows: inout AuditVerification.Rows, _ result: inout AuditVerification
  ) throws {
    var row = try RawStatement("\(RowContent.selectPattern) ORDER BY seq", db)
    while try row.step() {
      let key = Key(digests.bytes(Erasure.Subject.pattern.rawValue, row.bytes(0)))
      let name = "pattern \"\(String(storedName: row.bytes(0)))\""
      if let removed = patterns[key]?.removed {
        result.found(.rowReturned, removed, "the \(name) is there, and by record \(removed) it is gone")
      } else if let content = patterns[key]?.row {
        rows.patterns += 1
        var found = RowContent(.pattern)
        try found.write(pattern: row, db)
        compare(found, content, name, digests, &result)
      } else {
        rows.unrecorded += 1
      }
      patterns[key]?.isSeen = true
    }
  }

  private func compare(
    _ found: RowContent, _ content: Content, _ name: String, _ digests: ErasureDigests,
    _ result: inout AuditVerification
  ) {
    guard digests.digest(of: found) != content.digest else { return }
    result.found(
      .rowChanged, content.record, "the \(name) is not what record \(content.record) has a digest of")
  }

  private func report(missing states: [Key: State], _ name: String, _ result: inout AuditVerification) {
    let missing = states.values.filter { !$0.isSeen && $0.removed == nil }
      .compactMap { $0.row?.record ?? $0.steps.first?.content.record }
    for record in missing.sorted() {
      result.found(.rowMissing, record, "\(name) of record \(record) is gone, and no record says so")
    }
  }
}
