package import EpisodicMemory
import LMDB
import VectorIndex
import WordIndex

extension LMDBSearchIndex {
  private static let rowsAtOnce = 4096

  /// Compares every episode's attributes, every document's length and every vector's code with the primary, and verifies the
  /// tables and every checksum.
  ///
  /// - Complexity: Reads everything once, and encodes every vector.
  package func check(in source: any IndexSource) throws(MemoryError) -> [MemoryCheck]? {
    let answer = try answer(in: source, catchesUp: true) { transaction throws(IndexFailure) -> [MemoryCheck] in
      do throws(LMDBError) { try words.checkInvariants(in: transaction) } catch { throw .index(error) }
      return [
        MemoryCheck("search index: episodes", outcome(try compareEpisodes(source, transaction))),
        MemoryCheck("search index: words", outcome(try compareWords(source, transaction))),
        MemoryCheck("search index: vectors", outcome(try compareVectors(source, transaction))),
      ]
    }
    guard case .found(let checks) = answer else { return nil }
    return checks
  }

  private func outcome(_ difference: String?) -> MemoryCheck.Outcome {
    difference.map { .failed("\($0); call rebuild()") } ?? .passed
  }

  /// - Returns: The first difference.
  private func compareEpisodes(
    _ source: any IndexSource, _ transaction: borrowing ReadTransaction
  ) throws(IndexFailure) -> String? {
    var numbers: [String: UInt32] = [:]
    func number(_ name: String?, _ kind: NameTable.Kind) throws(IndexFailure) -> UInt32 {
      guard let name else { return 0 }
      if let number = numbers["\(kind) \(name)"] { return number }
      do throws(LMDBError) {
        let number = try names.number(of: name, kind, in: transaction) ?? .max
        numbers["\(kind) \(name)"] = number
        return number
      } catch {
        throw .index(error)
      }
    }
    var records = try records(transaction)
    var difference: String?
    try forEachEpisode(source) { episode throws(IndexFailure) in
      let attributes = episode.attributes
      let expected = RowAttributes(
        partition: try number(attributes.domain, .domain), series: try number(attributes.session, .session),
        kind: try number(attributes.taskType.rawValue, .task), state: StateCode.of(attributes.status, attributes.trust),
        time: attributes.createdAt.milliseconds)
      let record = records.removeValue(forKey: episode.row)
      if record?.attributes != expected || record?.successRate != episode.successRate {
        difference = difference ?? "episode in row \(episode.row) differs"
      }
    }
    difference = difference ?? records.keys.min().map { "episode in row \($0) is gone from the primary" }
    if let difference { return difference }
    return try compareSessions(transaction)
  }

  private func compareSessions(_ transaction: borrowing ReadTransaction) throws(IndexFailure) -> String? {
    var expected: Set<[UInt8]> = []
    for (row, record) in try records(transaction) {
      if let key = SessionTable.key(record.attributes, row) { expected.insert(key) }
    }
    var difference: String?
    do throws(LMDBError) {
      try sessions.forEach(in: transaction) { key in
        if expected.remove(key) == nil { difference = "a session has an episode too many" }
      }
    } catch {
      throw .index(error)
    }
    return difference ?? (expected.isEmpty ? nil : "\(expected.count) episodes are not in their sessions")
  }

  private func records(
    _ transaction: borrowing ReadTransaction
  ) throws(IndexFailure) -> [Int64: EpisodeTable.Record] {
    var records: [Int64: EpisodeTable.Record] = [:]
    do throws(LMDBError) {
      try episodes.forEach(in: transaction) { row, record in records[row] = record }
    } catch {
      throw .index(error)
    }
    return records
  }

  /// Groups are those of the records, which `compareEpisodes` compares.
  private func compareWords(
    _ source: any IndexSource, _ transaction: borrowing ReadTransaction
  ) throws(IndexFailure) -> String? {
    var lengths: [WordDocument: Int] = [:]
    var groups: [Int64: UInt64] = [:]
    let records = try records(transaction)
    do throws(LMDBError) {
      try words.forEachDocument(in: transaction) { document, length in lengths[document] = Int(length) }
      for (row, record) in records { groups[row] = try record.group(of: row) }
    } catch {
      throw .index(error)
    }
    func name(_ document: WordDocument) -> String {
      "the document of episode \(EpisodeGroup.row(of: document.group)), step \(document.member),"
    }
    var difference: String?
    func compare(_ document: WordDocument, _ texts: [UnsafeRawBufferPointer]) throws(IndexFailure) {
      var length = 0
      do throws(MemoryError) {
        for text in texts { try source.words(of: text) { _, _ in length += 1 } }
      } catch {
        throw .primary(error)
      }
      if lengths.removeValue(forKey: document) != length { difference = difference ?? "\(name(document)) differs" }
    }
    try forEachEpisode(source) { episode throws(IndexFailure) in
      try compare(WordDocument(contextOf: groups[episode.row] ?? 0), episode.texts)
    }
    try forEachPage { row throws(IndexFailure) in
      var last: Int64?
      try source.steps(.after(row, limit: Self.rowsAtOnce)) { step throws(IndexFailure) in
        last = step.row
        try compare(WordDocument(step: step.row, of: groups[step.episode] ?? 0), step.texts)
        return true
      }
      return last
    }
    return difference ?? lengths.keys.min().map { "\(name($0)) is gone from the primary" }
  }

  private func compareVectors(
    _ source: any IndexSource, _ transaction: borrowing ReadTransaction
  ) throws(IndexFailure) -> String? {
    var known: [Int64: UInt64]
    do throws(LMDBError) {
      known = try vectors.fingerprints(in: transaction)
    } catch {
      throw .index(error)
    }
    var difference: String?
    try forEachPage { row throws(IndexFailure) in
      var last: Int64?
      var changes = VectorChanges()
      try source.vectors(.after(row, limit: Self.rowsAtOnce)) { vector throws(IndexFailure) in
        last = vector.row
        let attributes = RowAttributes(partition: 0, series: 0, kind: 0, state: 0, time: 0)
        changes.add(vector, attributes, generation: tier.generation)
        return changes.byteCount < budget.bytes
      }
      for (row, fingerprint) in changes.fingerprints where known.removeValue(forKey: row) != fingerprint {
        difference = difference ?? "vector in row \(row) differs"
      }
      return last
    }
    return difference ?? known.keys.min().map { "vector in row \($0) is gone from the primary" }
  }

  private func forEachEpisode(
    _ source: any IndexSource, _ body: (IndexedEpisode) throws(IndexFailure) -> Void
  ) throws(IndexFailure) {
    try forEachPage { row throws(IndexFailure) in
      var last: Int64?
      try source.episodes(.after(row, limit: Self.rowsAtOnce)) { episode throws(IndexFailure) in
        last = episode.row
        try body(episode)
        return true
      }
      return last
    }
  }

  /// Calls `body` with the row to begin after, as long as it returns the last row that it read.
  private func forEachPage(_ body: (Int64) throws(IndexFailure) -> Int64?) throws(IndexFailure) {
    var row: Int64? = 0
    while let start = row { row = try body(start) }
  }
}
