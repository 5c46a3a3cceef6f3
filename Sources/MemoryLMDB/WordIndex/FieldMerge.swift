import LMDB

/// One field of several segments on its way into a new one, in steps that can each run in a transaction of its own.
///
/// Keeps 32 bytes a document and 4 a term in memory, and the postings of one term at a time: 16 bytes a document and its
/// positions.
struct FieldMerge {
  let field: WordField
  /// New ordinals by input and old ordinal; `dead` for a document that is left behind.
  private(set) var ordinals: [[UInt32]] = []
  private(set) var facts = WordManifest.Field()

  static let dead = UInt32.max

  private enum Stage { case documents, tables, terms, forward, done }
  private var stage = Stage.documents
  private var columns = DocumentColumns()
  /// Input and old ordinal of each new document.
  private var sources: [UInt64] = []
  /// New term numbers by input and old number.
  private var numbers: [[UInt32]] = []
  private var dictionary: DictionaryWriter
  private var forward: ForwardWriter
  private var lastTerm: [UInt8]?
  /// The next chunk of tables, or the next document of the forward lists.
  private var next = 0

  init(_ field: WordField) {
    self.field = field
    dictionary = DictionaryWriter(field)
    forward = ForwardWriter(field)
  }

  var isDone: Bool { stage == .done }

  /// Goes on until `output` holds `budget` bytes, or to the end.
  mutating func step(_ inputs: [FieldReader], budget: Int, to output: inout SegmentOutput) throws(LMDBError) {
    while stage != .done, output.byteCount < budget {
      switch stage {
      case .documents: try collectDocuments(inputs)
      case .tables: writeTables(budget, &output)
      case .terms: try mergeTerms(inputs, budget, &output)
      case .forward: try writeForward(inputs, budget, &output)
      case .done: break
      }
    }
  }

  private mutating func collectDocuments(_ inputs: [FieldReader]) throws(LMDBError) {
    ordinals = inputs.map { [UInt32](repeating: Self.dead, count: $0.count) }
    numbers = inputs.map { [UInt32](repeating: Self.dead, count: Int($0.facts.terms)) }
    let most = inputs.reduce(0) { $0 + $1.count }
    columns.reserveCapacity(most)
    sources.reserveCapacity(most)
    var heads: [MergeHead] = []
    for (input, reader) in inputs.enumerated() {
      var head = MergeHead(input: input)
      if try head.settle(reader) { heads.append(head) }
    }
    while !heads.isEmpty {
      var least = 0
      for index in heads.indices.dropFirst() where heads[index].precedes(heads[least]) { least = index }
      let head = heads[least]
      facts.tokens += UInt64(head.length)
      ordinals[head.input][Int(head.ordinal)] = UInt32(truncatingIfNeeded: columns.count)
      sources.append(UInt64(truncatingIfNeeded: head.input) << 32 | UInt64(head.ordinal))
      columns.append(group: head.group, member: head.member, length: head.length)
      heads[least].ordinal += 1
      if try !heads[least].settle(inputs[head.input]) { heads.remove(at: least) }
    }
    facts.documents = UInt32(truncatingIfNeeded: columns.count)
    facts.firstGroup = columns.groups.first ?? 0
    facts.lastGroup = columns.groups.last ?? 0
    stage = .tables
  }

  private mutating func writeTables(_ budget: Int, _ output: inout SegmentOutput) {
    let chunks = DocumentColumns.chunks(columns.count)
    while next < chunks, output.byteCount < budget {
      let key = WordKey.make(output.id, .documents, field, UInt32(truncatingIfNeeded: next))
      output.add(columns.encodedChunk(next), for: key)
      next += 1
    }
    if next < chunks { return }
    next = 0
    stage = .terms
  }

  private mutating func mergeTerms(
    _ inputs: [FieldReader], _ budget: Int, _ output: inout SegmentOutput
  ) throws(LMDBError) {
    var iterators: [TermIterator] = []
    for reader in inputs { iterators.append(try TermIterator(reader, after: lastTerm)) }
    let scratch = CursorMemory(1)
    var postings = PostingBuffer()
    while output.byteCount < budget {
      var least: UnsafeRawBufferPointer?
      for iterator in iterators {
        guard let term = iterator.term else { continue }
        if least.map({ term.precedes($0) }) ?? true { least = term }
      }
      guard let least else {
        dictionary.finish(&output)
        facts.terms = dictionary.termCount
        stage = .forward
        return
      }
      let term = Array(least)
      let number = dictionary.termCount
      postings.removeAll()
      for input in iterators.indices {
        guard let own = iterators[input].term, own.elementsEqual(term), let list = try iterators[input].list() else {
          continue
        }
        try gather(list, inputs[input], ordinals[input], scratch, &postings)
        guard Int(list.number) < numbers[input].count else { throw .damagedWords("a page of terms") }
        numbers[input][Int(list.number)] = number
        try iterators[input].next()
      }
      lastTerm = term
      if postings.count == 0 { continue }
      postings.sortByOrdinal()
      _ = dictionary.add(term, postings, columns, to: &output)
    }
  }

  private func gather(
    _ list: PostingList, _ reader: FieldReader, _ ordinals: [UInt32], _ scratch: CursorMemory,
    _ postings: inout PostingBuffer
  ) throws(LMDBError) {
    postings.reserve(list.documents)
    var cursor = PostingCursor(list, reader, buffer: scratch.buffer(0))
    var positions = PostingPositions()
    defer { positions.free() }
    try cursor.next()
    while !cursor.isAtEnd {
      let ordinal = ordinals[Int(cursor.ordinal)]
      if ordinal != Self.dead {
        try positions.copy(&cursor, to: &postings.positions)
        postings.append(ordinal: ordinal, frequency: cursor.frequency)
      }
      try cursor.nextOrdinal()
    }
  }

  private mutating func writeForward(
    _ inputs: [FieldReader], _ budget: Int, _ output: inout SegmentOutput
  ) throws(LMDBError) {
    while next < sources.count, output.byteCount < budget {
      let input = Int(sources[next] >> 32)
      var terms = try inputs[input].terms(of: UInt32(truncatingIfNeeded: sources[next]))
      for index in terms.indices {
        let number = numbers[input][Int(terms[index])]
        guard number != Self.dead, index == 0 || number > terms[index - 1] else {
          throw .damagedWords("a list of a document's terms")
        }
        terms[index] = number
      }
      forward.append(terms, to: &output)
      next += 1
    }
    if next < sources.count { return }
    forward.finish(&output)
    columns = DocumentColumns()
    sources = []
    numbers = []
    stage = .done
  }
}
