import ByteCoding
import LMDB

/// Several segments being merged into a new one, in steps that can run in a transaction each.
struct SegmentMerge {
  let inputs: [UInt32]
  private(set) var output: SegmentOutput
  private var fields = WordField.allCases.map { FieldMerge($0) }

  init(_ inputs: [UInt32], into output: SegmentOutput) {
    self.inputs = inputs
    self.output = output
  }

  var isDone: Bool { fields.allSatisfy(\.isDone) }

  /// Continues until the output holds `budget` bytes, or to the end.
  ///
  /// - Parameter segments: The inputs as they are now, in the order of `inputs`.
  mutating func step(
    _ segments: [Manifest.Segment], _ snapshot: Snapshot, budget: Int
  ) throws(LMDBError) {
    for place in fields.indices where !fields[place].isDone && output.byteCount < budget {
      let readers = segments.map { FieldReader($0, fields[place].field) }
      try fields[place].step(readers, snapshot, budget: budget, to: &output)
    }
  }

  mutating func take() -> [SegmentOutput.Entry] { output.take() }

  /// Puts the new segment into the manifest at the place of its first input, and takes the inputs out.
  ///
  /// - Returns: The inputs.
  func replaceInputs(in manifest: inout Manifest) -> [Manifest.Segment] {
    let replaced = manifest.segments.filter { inputs.contains($0.id) }
    let place = manifest.segments.firstIndex { inputs.contains($0.id) } ?? 0
    manifest.segments.removeAll { inputs.contains($0.id) }
    var segment = Manifest.Segment(id: output.id)
    segment.bytes = output.totalBytes
    for field in fields { segment[field.field] = field.facts }
    if segment.documents > 0 { manifest.segments.insert(segment, at: place) }
    return replaced
  }

  /// Marks the documents that were removed from the inputs while the merge ran. The output must be written and in the
  /// manifest.
  func carryOver(
    _ segments: [Manifest.Segment], _ snapshot: Snapshot, _ manifest: inout Manifest
  ) throws(LMDBError) -> DeadDocuments {
    var dead = DeadDocuments()
    guard let place = manifest.segments.firstIndex(where: { $0.id == output.id }) else { return dead }
    for merge in fields {
      let reader = FieldReader(manifest.segments[place], merge.field)
      for (input, segment) in segments.enumerated() where segment[merge.field].dead > 0 {
        let old = FieldReader(segment, merge.field)
        for (ordinal, new) in merge.ordinals[input].enumerated() where new != FieldMerge.dead {
          guard try old.isDead(UInt32(truncatingIfNeeded: ordinal), snapshot) else { continue }
          _ = try dead.mark(new, in: reader, &manifest.segments[place][merge.field], snapshot)
        }
      }
    }
    return dead
  }
}

/// One field of a merge.
///
/// Keeps in memory 32 bytes a document and 4 a term, and the postings of one term at a time: 16 bytes a document and its
/// positions.
private struct FieldMerge {
  let field: WordField
  /// New ordinals by input and old ordinal; `dead` for a document that is left out.
  private(set) var ordinals: [[UInt32]] = []
  private(set) var facts = Manifest.Field()

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

  mutating func step(
    _ inputs: [FieldReader], _ snapshot: Snapshot, budget: Int, to output: inout SegmentOutput
  ) throws(LMDBError) {
    while stage != .done, output.byteCount < budget {
      switch stage {
      case .documents: try collectDocuments(inputs, snapshot)
      case .tables: writeTables(budget, &output)
      case .terms: try mergeTerms(inputs, snapshot, budget, &output)
      case .forward: try writeForward(inputs, snapshot, budget, &output)
      case .done: break
      }
    }
  }

  private mutating func collectDocuments(_ inputs: [FieldReader], _ snapshot: Snapshot) throws(LMDBError) {
    ordinals = inputs.map { [UInt32](repeating: Self.dead, count: $0.count) }
    numbers = inputs.map { [UInt32](repeating: Self.dead, count: Int($0.facts.terms)) }
    let most = inputs.reduce(0) { $0 + $1.count }
    columns.reserveCapacity(most)
    sources.reserveCapacity(most)
    var heads: [Head] = []
    for (input, reader) in inputs.enumerated() {
      var head = Head(input: input)
      if try head.settle(reader, snapshot) { heads.append(head) }
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
      if try !heads[least].settle(inputs[head.input], snapshot) { heads.remove(at: least) }
    }
    facts.documents = UInt32(truncatingIfNeeded: columns.count)
    facts.firstGroup = columns.groups.first ?? 0
    facts.lastGroup = columns.groups.last ?? 0
    stage = .tables
  }

  private mutating func writeTables(_ budget: Int, _ output: inout SegmentOutput) {
    let chunks = DocumentColumns.chunks(columns.count)
    while next < chunks, output.byteCount < budget {
      columns.write(field, chunk: next, to: &output)
      next += 1
    }
    if next < chunks { return }
    next = 0
    stage = .terms
  }

  private mutating func mergeTerms(
    _ inputs: [FieldReader], _ snapshot: Snapshot, _ budget: Int, _ output: inout SegmentOutput
  ) throws(LMDBError) {
    var iterators: [TermIterator] = []
    let start = lastTerm.map(TermIterator.successor) ?? []
    for reader in inputs { iterators.append(try TermIterator(reader, atOrAfter: start, snapshot)) }
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
        guard let own = iterators[input].term, own.elementsEqual(term),
          let list = try iterators[input].list(snapshot)
        else { continue }
        try gather(list, inputs[input], snapshot, ordinals[input], scratch, &postings)
        guard Int(list.number) < numbers[input].count else { throw .damagedWords("a page of terms") }
        numbers[input][Int(list.number)] = number
        try iterators[input].next(snapshot)
      }
      lastTerm = term
      if postings.count == 0 { continue }
      postings.sortByOrdinal()
      _ = dictionary.add(term, postings, columns, to: &output)
    }
  }

  /// Appends the postings of live documents, with their new ordinals.
  private func gather(
    _ list: PostingList, _ reader: FieldReader, _ snapshot: Snapshot, _ ordinals: [UInt32], _ scratch: CursorMemory,
    _ postings: inout PostingBuffer
  ) throws(LMDBError) {
    postings.reserve(list.documents)
    var cursor = PostingCursor(list, reader, buffer: scratch.buffer(0))
    var positions = PostingPositions()
    defer { positions.free() }
    try cursor.next(snapshot)
    while !cursor.isAtEnd {
      let ordinal = ordinals[Int(cursor.ordinal)]
      if ordinal != Self.dead {
        try positions.copy(&cursor, to: &postings.positions, snapshot)
        postings.append(ordinal: ordinal, frequency: cursor.frequency)
      }
      try cursor.nextOrdinal()
    }
  }

  private mutating func writeForward(
    _ inputs: [FieldReader], _ snapshot: Snapshot, _ budget: Int, _ output: inout SegmentOutput
  ) throws(LMDBError) {
    while next < sources.count, output.byteCount < budget {
      let input = Int(sources[next] >> 32)
      var terms = try inputs[input].terms(of: UInt32(truncatingIfNeeded: sources[next]), snapshot)
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

  /// The next live document of an input.
  private struct Head {
    let input: Int
    var ordinal: UInt32 = 0
    private(set) var group: UInt64 = 0
    private(set) var member: UInt64 = 0
    private(set) var length: UInt32 = 0

    init(input: Int) { self.input = input }

    func precedes(_ other: Head) -> Bool {
      group != other.group ? group < other.group : member < other.member
    }

    /// Moves to the first live document from `ordinal` on.
    ///
    /// - Returns: Whether there is one.
    mutating func settle(_ reader: FieldReader, _ snapshot: Snapshot) throws(LMDBError) -> Bool {
      while Int(ordinal) < reader.count {
        let chunk = try reader.chunk(ordinal, snapshot)
        let index = FieldReader.place(ordinal)
        if !chunk.isDead(index) {
          group = chunk.group(index)
          member = chunk.member(index)
          length = chunk.length(index)
          return true
        }
        ordinal += 1
      }
      return false
    }
  }
}
