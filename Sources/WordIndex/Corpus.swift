import LMDB
import WordScoring

/// The documents of one field of one segment that belong to a corpus: their ordinals are consecutive.
struct FieldSlice {
  let reader: FieldReader
  let ordinals: Range<UInt32>
  /// No document has a lower group.
  let firstGroup: UInt64
  /// Under which dead documents are counted.
  let level: UInt32

  /// Whether these are all documents of the segment.
  var isWhole: Bool { ordinals.count == reader.count }
}

/// The live documents of one field that a query ranks, over all segments.
struct Corpus {
  let field: WordField
  let slices: [FieldSlice]
  let documents: Int
  let tokens: UInt64
  /// Whether they are all of one partition: then those of lower groups rank first among equal ones.
  let isOfOnePartition: Bool

  /// - Parameter parts: Disjoint.
  init(_ field: WordField, _ parts: [WordCorpus], _ manifest: Manifest, _ snapshot: Snapshot) throws(LMDBError) {
    self.field = field
    var slices: [FieldSlice] = []
    var (documents, tokens): (UInt64, UInt64) = (0, 0)
    for part in parts {
      let count = try snapshot.count(field, part.level)
      documents &+= count.documents
      tokens &+= count.tokens
    }
    for segment in manifest.segments where segment[field].alive > 0 {
      let reader = FieldReader(segment, field)
      for part in parts {
        if let slice = try FieldSlice(part, of: reader, snapshot) { slices.append(slice) }
      }
    }
    var partitions: Set<UInt64> = []
    for slice in slices {
      for ordinal in [slice.ordinals.lowerBound, slice.ordinals.upperBound - 1] {
        partitions.insert(try slice.reader.group(ordinal, snapshot) >> WordCorpus.groupBits)
      }
    }
    guard let found = Int(exactly: documents) else { throw .damagedWords("a count of documents") }
    self.documents = found
    self.tokens = tokens
    self.slices = slices
    isOfOnePartition = partitions.count < 2
  }

  /// - Parameter having: Live documents that contain the term or phrase.
  func scorer(having: Int) throws(LMDBError) -> TermScorer {
    guard having >= 0, having <= documents else { throw .damagedWords("a count of documents") }
    return TermScorer(documents: documents, having: having, tokens: tokens)
  }

  /// The postings of a term in the slices that have it, by number of the slice, and how many of its documents are alive.
  func find(_ term: [UInt8], _ snapshot: Snapshot) throws(LMDBError) -> TermPostings {
    var found = TermPostings()
    var last: (reader: FieldReader, list: PostingList?)?
    for (number, slice) in slices.enumerated() {
      if last?.reader !== slice.reader { last = (slice.reader, try slice.reader.find(term, snapshot)) }
      guard let list = last?.list else { continue }
      var postings = list.documents
      if !slice.isWhole {
        postings = try list.count(before: slice.ordinals.upperBound) - list.count(before: slice.ordinals.lowerBound)
      }
      if postings == 0 { continue }
      let alive = postings - (try slice.reader.deadDocuments(ofTerm: list.number, level: slice.level, snapshot))
      guard alive >= 0 else { throw .damagedWords("a table of dead counts") }
      if alive == 0 { continue }
      found.lists.append((number, list))
      found.having += alive
    }
    return found
  }
}

/// The postings of a term in one field of a corpus.
struct TermPostings {
  /// With the number of the slice, ascending.
  var lists: [(slice: Int, list: PostingList)] = []
  /// Live documents.
  var having = 0
}

extension FieldSlice {
  /// - Returns: `nil` if the segment has no document of the corpus.
  fileprivate init?(_ part: WordCorpus, of reader: FieldReader, _ snapshot: Snapshot) throws(LMDBError) {
    let (facts, groups) = (reader.facts, part.groups)
    guard facts.firstGroup <= groups.upperBound, facts.lastGroup >= groups.lowerBound else { return nil }
    var (first, end) = (0, reader.count)
    if facts.firstGroup < groups.lowerBound {
      first = try reader.firstOrdinal(group: groups.lowerBound, member: 0, snapshot)
    }
    if facts.lastGroup > groups.upperBound {
      end = try reader.firstOrdinal(group: groups.upperBound + 1, member: 0, snapshot)
    }
    guard first < end else { return nil }
    self.init(
      reader: reader, ordinals: UInt32(truncatingIfNeeded: first)..<UInt32(truncatingIfNeeded: end),
      firstGroup: max(facts.firstGroup, groups.lowerBound), level: part.level)
  }
}
