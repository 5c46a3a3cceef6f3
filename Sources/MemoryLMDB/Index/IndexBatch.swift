import ByteCoding
import EpisodicMemory
import LMDB
import Synchronization
import WordIndex

/// What one step of building or following takes into the index: gathered from the primary's rows, then put into the
/// tables.
struct IndexBatch: ~Copyable {
  private let index: LMDBSearchIndex
  private let budget: StepBudget
  private var documents = SegmentBuilder()
  private var departedGroups: [UInt64] = []
  private var departedDocuments: [WordDocument] = []
  private var records: [Int64: EpisodeTable.Record?] = [:]
  /// What the table says of episodes, before.
  private var before: [Int64: EpisodeTable.Record] = [:]
  private var vectors = VectorChanges()
  /// By the bytes of names: strings that Swift calls equal may be different names to the primary (I8).
  private var numbers: [NameTable.Kind: [[UInt8]: UInt32]] = [:]
  private var last: (attributes: EpisodeAttributes, named: NamedAttributes)?
  private var failure: LMDBError?
  /// Episodes of which scopes and filters see something else than before, so that their vectors must be told.
  private(set) var moved: [Int64] = []

  /// Rows that were taken.
  private(set) var rows = 0
  /// Whether a row was refused, because it would have gone beyond the budget.
  private(set) var isFull = false
  /// Whether what is taken in may be known already, from a later snapshot than now: then no attributes can be compared.
  private let isReplay: Bool

  init(_ index: LMDBSearchIndex, _ budget: StepBudget, isReplay: Bool = false) {
    self.index = index
    self.budget = budget
    self.isReplay = isReplay
  }

  /// About what has been taken so far holds in memory.
  var byteCount: Int { documents.byteCount + vectors.byteCount + records.count * Self.recordBytes }

  private static let recordBytes = 96
  /// A text of single letters becomes a token of eight bytes for every other byte.
  private static let mostTokenBytesPerTextByte = 4

  /// Makes place for a row; the first may be larger than the budget.
  ///
  /// - Returns: False where it must be left to the next step.
  private mutating func admit(texts: [UnsafeRawBufferPointer] = [], vectorBytes: Int = 0) -> Bool {
    let texts = texts.reduce(0) { $0 + $1.count }
    let bytes = byteCount + texts * Self.mostTokenBytesPerTextByte + vectorBytes
    guard rows == 0 || bytes <= budget.bytes else {
      isFull = true
      return false
    }
    rows += 1
    return true
  }

  /// Looks up what the table says now.
  mutating func remember(
    _ episodes: [Int64], in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) {
    before = try index.episodes.records(of: episodes, in: transaction)
  }

  // MARK: Departures

  mutating func depart(groups: [Int64], steps: Set<ChangedRows.Step>, vectors: [Int64]) {
    departedGroups += groups.map(EpisodeGroup.of(row:))
    departedDocuments += steps.map { step in
      WordDocument(field: .child, group: EpisodeGroup.of(row: step.episode), member: UInt64(bitPattern: step.row))
    }
    // What the table said of a context is gone with its group.
    for group in groups { before[group]?.contextHash = 0 }
    self.vectors.departures.formUnion(vectors)
  }

  /// Of the episodes that changed, those that were not found are gone.
  mutating func departMissing(_ episodes: [Int64]) {
    for row in episodes where records[row] == nil {
      records[row] = .some(nil)
      departedGroups.append(EpisodeGroup.of(row: row))
    }
  }

  // MARK: Arrivals: each returns whether there was room

  mutating func take(
    _ episode: IndexedEpisode, _ snapshot: any PrimarySnapshot, _ transaction: inout WriteTransaction
  ) throws(MemoryError) -> Bool {
    guard admit(texts: [episode.context]) else { return false }
    let attributes = named(episode.attributes, &transaction)
    // Never 0, which stands for a context that is not in the index.
    let hash = Checksum.of(episode.context, seed: index.tier.epoch) | 1
    let before = before[episode.row]
    records[episode.row] = EpisodeTable.Record(attributes: attributes, contextHash: hash)
    if isReplay || before.map({ $0.attributes != attributes }) ?? false { moved.append(episode.row) }
    if before?.contextHash == hash { return true }
    let group = EpisodeGroup.of(row: episode.row)
    if before != nil { departedDocuments.append(WordDocument(field: .parent, group: group)) }
    try add([episode.context], WordDocument(field: .parent, group: group), snapshot)
    return true
  }

  mutating func take(_ step: IndexedStep, _ snapshot: any PrimarySnapshot) throws(MemoryError) -> Bool {
    guard admit(texts: step.texts) else { return false }
    let name = WordDocument(
      field: .child, group: EpisodeGroup.of(row: step.episode), member: UInt64(bitPattern: step.row))
    try add(step.texts, name, snapshot)
    return true
  }

  mutating func take(_ vector: IndexedVector, _ transaction: inout WriteTransaction) -> Bool {
    guard admit(vectorBytes: VectorChanges.bytes(of: vector)) else { return false }
    vectors.arrive(vector, named(vector.attributes, &transaction), epoch: index.tier.epoch)
    return true
  }

  /// Tells a vector, which is in the index already, of what became of its episode.
  mutating func retake(_ vector: IndexedVector, _ transaction: inout WriteTransaction) -> Bool {
    // One that arrives in the same step does so as it is now.
    if vectors.departures.contains(vector.row) { return true }
    let attributes = named(vector.attributes, &transaction)
    if !isReplay, var old = before[vector.episode]?.attributes {
      old.status = attributes.status
      if old == attributes {
        vectors.statuses[vector.row] = attributes.status
        return true
      }
    }
    guard admit(vectorBytes: VectorChanges.bytes(of: vector)) else { return false }
    vectors.departures.insert(vector.row)
    vectors.arrive(vector, attributes, epoch: index.tier.epoch)
    return true
  }

  private mutating func add(
    _ texts: [UnsafeRawBufferPointer], _ name: WordDocument, _ snapshot: any PrimarySnapshot
  ) throws(MemoryError) {
    do throws(LMDBError) {
      try documents.begin(name)
    } catch {
      return failed(error)
    }
    var start: UInt32 = 0
    for text in texts {
      var end = start
      try snapshot.words(of: text) { word, place in
        do throws(LMDBError) {
          try documents.add(token: word, position: start &+ place)
        } catch {
          failed(error)
        }
        end = start &+ place &+ 1
      }
      // A place left free, so that no phrase goes from one text to the next.
      start = end &+ 1
    }
    do throws(LMDBError) { try documents.end() } catch { failed(error) }
  }

  // MARK: Putting

  mutating func put(_ transaction: inout WriteTransaction) throws(IndexFailure) {
    if let failure { throw .index(failure) }
    let index = index
    index.largestStep.max(byteCount, ordering: .relaxed)
    index.mappedPages.touch(byteCount)
    let (groups, departed) = (departedGroups, departedDocuments)
    try lmdb { () throws(LMDBError) in
      if !groups.isEmpty { _ = try index.words.removeGroups(groups, in: &transaction) }
      if !departed.isEmpty { _ = try index.words.remove(departed, in: &transaction) }
    }
    var arriving = SegmentBuilder()
    swap(&arriving, &documents)
    var vectors = VectorChanges()
    swap(&vectors, &self.vectors)
    do throws(LMDBError) {
      try index.words.add(arriving, in: &transaction)
      try index.vectors.apply(vectors, in: &transaction)
      try index.episodes.put(records, in: &transaction)
    } catch {
      throw .index(error)
    }
  }

  // MARK: Names

  private mutating func named(
    _ attributes: EpisodeAttributes, _ transaction: inout WriteTransaction
  ) -> NamedAttributes {
    if let last, attributes.hasBytes(of: last.attributes) { return last.named }
    let named = NamedAttributes(
      domain: number(attributes.domain, .domain, &transaction),
      session: attributes.session.map { number($0, .session, &transaction) } ?? 0,
      task: number(attributes.taskType.rawValue, .task, &transaction), status: StatusCode.of(attributes.status),
      createdAt: attributes.createdAt.milliseconds)
    last = (attributes, named)
    return named
  }

  private mutating func number(
    _ name: String, _ kind: NameTable.Kind, _ transaction: inout WriteTransaction
  ) -> UInt32 {
    let bytes = Array(name.utf8)
    if let number = numbers[kind]?[bytes] { return number }
    do throws(LMDBError) {
      let number = try index.names.assign(name, kind, in: &transaction)
      numbers[kind, default: [:]][bytes] = number
      return number
    } catch {
      failed(error)
      return 0
    }
  }

  /// Keeps the first failure, which `put` throws: rows are lent to closures that can only throw what the primary throws.
  private mutating func failed(_ error: LMDBError) { failure = failure ?? error }
}

extension EpisodeAttributes {
  /// Whether they are the same to the primary, which compares bytes.
  fileprivate func hasBytes(of other: EpisodeAttributes) -> Bool {
    status == other.status && createdAt == other.createdAt && domain.utf8.elementsEqual(other.domain.utf8)
      && taskType.rawValue.utf8.elementsEqual(other.taskType.rawValue.utf8)
      && (session?.utf8).map(Array.init) == (other.session?.utf8).map(Array.init)
  }
}
