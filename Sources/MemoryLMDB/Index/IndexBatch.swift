import ByteCoding
import EpisodicMemory
import LMDB
import Synchronization
import VectorIndex
import WordIndex

/// The rows that a stretch of the change feed names, each once.
struct ChangedRows {
  struct Step: Hashable {
    let row: Int64
    let episode: Int64
  }

  /// Episodes that were inserted, changed or deleted.
  let episodes: [Int64]
  /// Those that were deleted at least once, and all their steps with them.
  let emptied: [Int64]
  /// Steps that were inserted, changed or deleted. SQLite may reuse the row of a deleted step for another episode's.
  let steps: Set<Step>
  let vectors: [Int64]
  /// Changes that named them.
  let changes: Int

  var count: Int { episodes.count + steps.count + vectors.count }

  /// - Returns: `nil` if a change names no row: it was written under an earlier schema.
  init?(_ changes: [Change]) {
    var episodes: Set<Int64> = []
    var emptied: Set<Int64> = []
    var steps: Set<Step> = []
    var vectors: Set<Int64> = []
    for change in changes {
      switch (change.subject, change.row, change.step) {
      case (.pattern, _, _): continue
      case (_, nil, _): return nil
      case (.embedding, let row?, _): vectors.insert(row)
      case (.episode, let row?, nil): episodes.insert(row)
      case (.episode, let row?, Change.allSteps?):
        episodes.insert(row)
        emptied.insert(row)
      case (.episode, let row?, let step?): steps.insert(Step(row: step, episode: row))
      }
    }
    self.changes = changes.count
    self.episodes = episodes.sorted()
    self.emptied = emptied.sorted()
    self.steps = steps
    self.vectors = vectors.sorted()
  }
}

/// The changes of the index's tables in one step of building or following: gathered from the primary's rows, then written.
struct IndexBatch: ~Copyable {
  private let index: LMDBSearchIndex
  private let budget: StepBudget
  private var documents = SegmentBuilder()
  private var removedGroups: [UInt64] = []
  private var removedDocuments: [WordDocument] = []
  private var records: [Int64: EpisodeTable.Record?] = [:]
  /// The table's records of the changed episodes and of those whose steps changed, before this step.
  private var before: [Int64: EpisodeTable.Record] = [:]
  /// The group of the last step's episode; `nil` if the index does not have the episode.
  private var lastGroup: (episode: Int64, group: UInt64?)?
  private var vectors = VectorChanges()
  /// By the bytes of names: strings that Swift calls equal may be different names to the primary (I8).
  private var numbers: [NameTable.Kind: [[UInt8]: UInt32]] = [:]
  private var last: (attributes: EpisodeAttributes, row: RowAttributes)?
  /// Episodes whose attributes changed, so that their vectors' must, too.
  private(set) var moved: [Int64] = []
  /// Episodes that became members of another group, so that their steps must, too.
  private(set) var regrouped: Set<Int64> = []

  /// Rows that were added.
  private(set) var rows = 0
  /// Whether a row was left out because it would have exceeded the budget.
  private(set) var isFull = false
  /// Whether the index may contain these rows already, from a later snapshot: then no attributes can be compared.
  private let isReplay: Bool

  init(_ index: LMDBSearchIndex, _ budget: StepBudget, isReplay: Bool = false) {
    self.index = index
    self.budget = budget
    self.isReplay = isReplay
  }

  /// About the memory of what was added so far.
  var byteCount: Int { documents.byteCount + vectors.byteCount + records.count * Self.recordBytes }

  private static let recordBytes = 96
  /// A text of single letters has a token of eight bytes in every second byte.
  private static let maximumTokenBytesPerTextByte = 4

  /// Counts a row. The first may exceed the budget.
  ///
  /// - Returns: False if the row must be left to the next step.
  private mutating func admit(texts: [UnsafeRawBufferPointer] = [], vectorBytes: Int = 0) -> Bool {
    let texts = texts.reduce(0) { $0 + $1.count }
    let bytes = byteCount + texts * Self.maximumTokenBytesPerTextByte + vectorBytes
    guard rows == 0 || bytes <= budget.bytes else {
      isFull = true
      return false
    }
    rows += 1
    return true
  }

  // MARK: Removals

  /// Removes what changed; what still exists is added again.
  mutating func remove(
    _ rows: ChangedRows, _ transaction: borrowing some Transaction & ~Copyable
  ) throws(IndexFailure) {
    do throws(LMDBError) {
      before = try index.episodes.records(of: rows.episodes + rows.steps.map(\.episode), in: transaction)
      // What has no record has no documents.
      for row in rows.emptied {
        if let group = try before[row]?.group(of: row) { removedGroups.append(group) }
      }
      for step in rows.steps {
        guard let group = try before[step.episode]?.group(of: step.episode) else { continue }
        removedDocuments.append(WordDocument(step: step.row, of: group))
      }
    } catch {
      throw .index(error)
    }
    // The context's document is removed with its group.
    for row in rows.emptied { before[row]?.contextHash = 0 }
    vectors.removed.formUnion(rows.vectors)
  }

  /// Removes those of the changed episodes that were not found.
  mutating func removeMissing(_ episodes: [Int64]) throws(IndexFailure) {
    for row in episodes where records[row] == nil {
      records[row] = .some(nil)
      do throws(LMDBError) {
        if let group = try before[row]?.group(of: row) { removedGroups.append(group) }
      } catch {
        throw .index(error)
      }
    }
  }

  // MARK: Additions: each returns false if the row exceeds the budget

  mutating func add(
    _ episode: IndexedEpisode, _ source: any IndexSource, _ transaction: inout WriteTransaction
  ) throws(IndexFailure) -> Bool {
    let texts = episode.texts + (episode.labels.map { [$0] } ?? [])
    guard admit(texts: texts) else { return false }
    let attributes = try numbered(episode.attributes, &transaction)
    // Never 0, which stands for a context that is not in the index.
    let hash = texts.reduce(index.tier.generation) { Checksum.of($1, seed: $0) } | 1
    let before = before[episode.row]
    let record = EpisodeTable.Record(
      attributes: attributes, contextHash: hash, successRate: episode.successRate)
    records[episode.row] = record
    if isReplay || before.map({ $0.attributes != attributes }) ?? false { moved.append(episode.row) }
    let (group, oldGroup): (UInt64, UInt64?)
    do throws(LMDBError) {
      (group, oldGroup) = (try record.group(of: episode.row), try before?.group(of: episode.row))
    } catch {
      throw .index(error)
    }
    let document = WordDocument(contextOf: group)
    if let oldGroup, oldGroup != group {
      removedGroups.append(oldGroup)
      regrouped.insert(episode.row)
    } else {
      if before?.contextHash == hash { return true }
      if before != nil { removedDocuments.append(document) }
    }
    try add(document, episode.texts, labels: episode.labels, source)
    return true
  }

  /// Adds a step to the group in which the index has its episode. A step of an episode that it does not have is left out: a
  /// later change will name both.
  mutating func add(
    _ step: IndexedStep, _ source: any IndexSource, _ transaction: borrowing WriteTransaction
  ) throws(IndexFailure) -> Bool {
    guard let group = try group(ofEpisode: step.episode, transaction) else { return true }
    guard admit(texts: step.texts) else { return false }
    try add(WordDocument(step: step.row, of: group), step.texts, source)
    return true
  }

  private mutating func group(
    ofEpisode row: Int64, _ transaction: borrowing WriteTransaction
  ) throws(IndexFailure) -> UInt64? {
    if let lastGroup, lastGroup.episode == row { return lastGroup.group }
    do throws(LMDBError) {
      let record: EpisodeTable.Record?
      if let changed = records[row] {
        record = changed
      } else if let known = before[row] {
        record = known
      } else {
        record = try index.episodes.records(of: [row], in: transaction)[row]
      }
      let group = try record?.group(of: row)
      lastGroup = (row, group)
      return group
    } catch {
      throw .index(error)
    }
  }

  mutating func add(_ vector: IndexedVector, _ transaction: inout WriteTransaction) throws(IndexFailure) -> Bool {
    guard admit(vectorBytes: vector.indexedByteCount) else { return false }
    vectors.add(vector, try numbered(vector.attributes, &transaction), generation: index.tier.generation)
    return true
  }

  /// Updates the attributes of an indexed vector whose episode changed.
  mutating func update(_ vector: IndexedVector, _ transaction: inout WriteTransaction) throws(IndexFailure) -> Bool {
    // One that was added in this step has the new attributes.
    if vectors.removed.contains(vector.row) { return true }
    let attributes = try numbered(vector.attributes, &transaction)
    if !isReplay, var old = before[vector.episode]?.attributes {
      old.state = attributes.state
      if old == attributes {
        vectors.states[vector.row] = attributes.state
        return true
      }
    }
    guard admit(vectorBytes: vector.indexedByteCount) else { return false }
    vectors.removed.insert(vector.row)
    vectors.add(vector, attributes, generation: index.tier.generation)
    return true
  }

  private mutating func add(
    _ document: WordDocument, _ texts: [UnsafeRawBufferPointer], labels: UnsafeRawBufferPointer? = nil,
    _ source: any IndexSource
  ) throws(IndexFailure) {
    // SQLite's tokenizer is C: nothing can be thrown through it.
    var failure: LMDBError?
    do throws(LMDBError) {
      try documents.begin(document)
    } catch {
      throw .index(error)
    }
    do throws(MemoryError) {
      var start: UInt32 = 0
      for (place, text) in (texts + (labels.map { [$0] } ?? [])).enumerated() {
        let counts = place < texts.count
        var end = start
        try source.words(of: text) { word, position in
          do throws(LMDBError) {
            try documents.add(token: word, position: start &+ position, counts: counts)
          } catch {
            failure = failure ?? error
          }
          end = start &+ position &+ 1
        }
        // An empty position, so that no phrase spans two texts.
        start = end &+ 1
      }
    } catch {
      throw .primary(error)
    }
    if let failure { throw .index(failure) }
    do throws(LMDBError) { try documents.end() } catch { throw .index(error) }
  }

  // MARK: Writing

  mutating func write(_ transaction: inout WriteTransaction) throws(IndexFailure) {
    index.largestStep.max(byteCount, ordering: .relaxed)
    index.mappedPages.count(byteCount)
    var documents = SegmentBuilder()
    swap(&documents, &self.documents)
    var vectors = VectorChanges()
    swap(&vectors, &self.vectors)
    do throws(LMDBError) {
      if !removedGroups.isEmpty { _ = try index.words.removeGroups(removedGroups, in: &transaction) }
      if !removedDocuments.isEmpty { _ = try index.words.remove(removedDocuments, in: &transaction) }
      try index.words.add(documents, in: &transaction)
      try index.vectors.apply(vectors, in: &transaction)
      try index.episodes.put(records, in: &transaction)
      try index.sessions.put(records, before: before, in: &transaction)
    } catch {
      throw .index(error)
    }
  }

  // MARK: Names

  private mutating func numbered(
    _ attributes: EpisodeAttributes, _ transaction: inout WriteTransaction
  ) throws(IndexFailure) -> RowAttributes {
    if let last, attributes.hasBytes(of: last.attributes) { return last.row }
    let row = RowAttributes(
      partition: try number(attributes.domain, .domain, &transaction),
      series: try attributes.session.map { session throws(IndexFailure) in
        try number(session, .session, &transaction)
      } ?? 0,
      kind: try number(attributes.taskType.rawValue, .task, &transaction),
      state: StateCode.of(attributes.status, attributes.trust),
      time: attributes.createdAt.milliseconds)
    last = (attributes, row)
    return row
  }

  private mutating func number(
    _ name: String, _ kind: NameTable.Kind, _ transaction: inout WriteTransaction
  ) throws(IndexFailure) -> UInt32 {
    let bytes = Array(name.utf8)
    if let number = numbers[kind]?[bytes] { return number }
    do throws(LMDBError) {
      let number = try index.names.assign(name, kind, in: &transaction)
      numbers[kind, default: [:]][bytes] = number
      return number
    } catch {
      throw .index(error)
    }
  }
}

extension EpisodeAttributes {
  /// Whether they are the same to the primary, which compares bytes.
  fileprivate func hasBytes(of other: EpisodeAttributes) -> Bool {
    status == other.status && createdAt == other.createdAt && domain.utf8.elementsEqual(other.domain.utf8)
      && taskType.rawValue.utf8.elementsEqual(other.taskType.rawValue.utf8)
      && (session?.utf8).map(Array.init) == (other.session?.utf8).map(Array.init)
  }
}

extension IndexedVector {
  fileprivate var indexedByteCount: Int { VectorChanges.byteCount(of: components, dimensions: dimensions) }
}

extension VectorChanges {
  mutating func add(_ vector: IndexedVector, _ attributes: RowAttributes, generation: UInt64) {
    add(
      id: vector.row, group: vector.episode, attributes, space: vector.model, dimensions: vector.dimensions,
      components: vector.components, generation: generation)
  }
}
