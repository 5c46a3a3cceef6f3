public import EpisodicMemory
import LMDB
import Vectors
import WordIndex

extension LMDBSearchIndex {
  /// Steps of following before a check gives up on an index that does not arrive.
  private static let maximumSteps = 100_000
  /// While another process has the index's lock.
  private static let pause = Duration.milliseconds(5)
  private static let rowsAtOnce = 4096

  /// Makes the index follow, then compares it with the primary in one snapshot of both: every episode's attributes, every
  /// document and its length, every vector's code; and verifies the tables and every checksum.
  ///
  /// - Complexity: Reads everything once, and encodes every vector anew.
  public func check(
    against primary: any PrimaryStore, busyTimeout: Duration
  ) async throws(MemoryError) -> [Check] {
    guard isAvailable else { return [] }
    var wait = BoundedWait(busyTimeout, pause: Self.pause)
    do throws(MemoryError) {
      for _ in 0..<Self.maximumSteps {
        try MemoryError.throwIfCancelled()
        let (progress, checks) = try await primary.read { snapshot throws(MemoryError) in
          let progress = try self.advance(in: snapshot)
          return (progress, progress == .arrived ? try self.compare(with: snapshot) : nil)
        }
        if let checks { return checks }
        // One that cannot follow is not wrong: it answers nothing.
        guard isAvailable else { return [] }
        guard progress == .waiting else {
          wait.reset()
          continue
        }
        try await wait.pause(
          for: "another process keeps the search index in \(tier.directory) locked, so that it cannot be checked; "
            + "look for one that is stopped, and try again")
      }
      return [Check("search index", .failed("it does not come to where the primary is; run rebuild"))]
    } catch let error where error.code == .busy || error.code == .cancelled {
      throw error
    } catch {
      return [Check("search index", .failed("it could not be compared: \(error)"))]
    }
  }

  /// - Returns: `nil` where the index does not stand at the snapshot any more.
  private func compare(with snapshot: any PrimarySnapshot) throws(MemoryError) -> [Check]? {
    let answer = try answer(in: snapshot, catchesUp: true) { transaction throws(IndexFailure) -> [Check] in
      try lmdb { () throws(LMDBError) in try words.checkInvariants(in: transaction) }
      return [
        Check("search index: episodes", try outcome(compareEpisodes(snapshot, transaction))),
        Check("search index: words", try outcome(compareWords(snapshot, transaction))),
        Check("search index: vectors", try outcome(compareVectors(snapshot, transaction))),
      ]
    }
    switch answer {
    case .found(let checks): return checks
    case .ahead: return nil
    case .silent, .behind: return nil
    }
  }

  private func outcome(_ difference: String?) -> Check.Outcome {
    difference.map { .failed("\($0); run rebuild") } ?? .passed
  }

  /// - Returns: The first difference.
  private func compareEpisodes(
    _ snapshot: any PrimarySnapshot, _ transaction: borrowing ReadTransaction
  ) throws(IndexFailure) -> String? {
    var numbers: [String: UInt32] = [:]
    func number(_ name: String?, _ kind: NameTable.Kind) throws(LMDBError) -> UInt32 {
      guard let name else { return 0 }
      if let number = numbers["\(kind) \(name)"] { return number }
      let number = try names.number(of: name, kind, in: transaction) ?? .max
      numbers["\(kind) \(name)"] = number
      return number
    }
    var known: [Int64: EpisodeTable.Record] = [:]
    try lmdb { () throws(LMDBError) in
      try episodes.forEach(in: transaction) { row, record in known[row] = record }
    }
    var difference: String?
    var failure: LMDBError?
    try forEachRow { row throws(MemoryError) in
      var last: Int64?
      try snapshot.episodes(.after(row, limit: Self.rowsAtOnce)) { episode throws(MemoryError) in
        last = episode.row
        do throws(LMDBError) {
          let attributes = episode.attributes
          let named = NamedAttributes(
            domain: try number(attributes.domain, .domain), session: try number(attributes.session, .session),
            task: try number(attributes.taskType.rawValue, .task), status: StatusCode.of(attributes.status),
            createdAt: attributes.createdAt.milliseconds)
          if known.removeValue(forKey: episode.row)?.attributes != named {
            difference = difference ?? "episode in row \(episode.row) differs"
          }
        } catch {
          failure = error
        }
        return true
      }
      return last
    }
    if let failure { throw .index(failure) }
    return difference ?? known.keys.min().map { "episode in row \($0) is gone from the primary" }
  }

  private func compareWords(
    _ snapshot: any PrimarySnapshot, _ transaction: borrowing ReadTransaction
  ) throws(IndexFailure) -> String? {
    var lengths: [WordDocument: Int] = [:]
    try lmdb { () throws(LMDBError) in
      try words.forEachDocument(in: transaction) { document, length in lengths[document] = Int(length) }
    }
    var difference: String?
    func compare(_ document: WordDocument, _ texts: [UnsafeRawBufferPointer]) throws(MemoryError) {
      var length = 0
      for text in texts { try snapshot.words(of: text) { _, _ in length += 1 } }
      if lengths.removeValue(forKey: document) != length {
        difference =
          difference
          ?? "the document of episode \(EpisodeGroup.row(of: document.group)), step \(document.member), differs"
      }
    }
    try forEachRow { row throws(MemoryError) in
      var last: Int64?
      try snapshot.episodes(.after(row, limit: Self.rowsAtOnce)) { episode throws(MemoryError) in
        last = episode.row
        let document = WordDocument(field: .parent, group: EpisodeGroup.of(row: episode.row))
        try compare(document, [episode.context])
        return true
      }
      return last
    }
    try forEachRow { row throws(MemoryError) in
      var last: Int64?
      try snapshot.steps(.after(row, limit: Self.rowsAtOnce)) { step throws(MemoryError) in
        last = step.row
        let document = WordDocument(
          field: .child, group: EpisodeGroup.of(row: step.episode), member: UInt64(bitPattern: step.row))
        try compare(document, step.texts)
        return true
      }
      return last
    }
    return difference
      ?? lengths.keys.min().map {
        "the document of episode \(EpisodeGroup.row(of: $0.group)), step \($0.member), is gone from the primary"
      }
  }

  private func compareVectors(
    _ snapshot: any PrimarySnapshot, _ transaction: borrowing ReadTransaction
  ) throws(IndexFailure) -> String? {
    var known = try lmdb { () throws(LMDBError) in try vectors.fingerprints(in: transaction) }
    var difference: String?
    try forEachRow { row throws(MemoryError) in
      var last: Int64?
      var changes = VectorChanges()
      try snapshot.vectors(.after(row, limit: Self.rowsAtOnce)) { vector throws(MemoryError) in
        last = vector.row
        let nameless = NamedAttributes(domain: 0, session: 0, task: 0, status: 0, createdAt: 0)
        changes.arrive(vector, nameless, epoch: tier.epoch)
        return changes.byteCount < budget.bytes
      }
      for (space, buffer) in changes.arrivals {
        for (vector, fingerprint) in buffer.fingerprints(model: space.model) {
          guard known.removeValue(forKey: vector) == fingerprint else {
            difference = difference ?? "vector in row \(vector) differs"
            continue
          }
        }
      }
      return last
    }
    return difference ?? known.keys.min().map { "vector in row \($0) is gone from the primary" }
  }

  /// Calls `body` with the row to begin behind, as long as it answers with the last that it met.
  private func forEachRow(_ body: (Int64) throws(MemoryError) -> Int64?) throws(IndexFailure) {
    try primary { () throws(MemoryError) in
      var row: Int64? = 0
      while let start = row { row = try body(start) }
    }
  }
}
