import LMDB

/// All that is alive of one field, over the segments of a snapshot.
struct CorpusReader {
  let field: WordField
  let readers: [FieldReader]
  let documents: Int
  let tokens: UInt64

  init(_ snapshot: WordSnapshot, _ manifest: WordManifest, _ field: WordField) {
    self.field = field
    documents = manifest.alive(field)
    tokens = manifest.tokens(field)
    readers = manifest.segments.filter { $0[field].alive > 0 }.map { FieldReader(snapshot, $0, field) }
  }

  /// - Parameter having: Documents that contain the term or phrase, alive.
  func scorer(having: Int) throws(LMDBError) -> TermScorer {
    guard having >= 0, having <= documents else { throw .damagedWords("a count of documents") }
    return TermScorer(documents: documents, having: having, tokens: tokens)
  }

  /// The postings of a term in each segment that has it, and how many of its documents are alive.
  func find(_ term: [UInt8]) throws(LMDBError) -> (lists: [(reader: FieldReader, list: PostingList)], having: Int) {
    var lists: [(reader: FieldReader, list: PostingList)] = []
    var having = 0
    for reader in readers {
      guard let list = try reader.find(term) else { continue }
      let alive = list.documents - (try reader.deadDocuments(ofTerm: list.number))
      guard alive >= 0 else { throw .damagedWords("a table of dead counts") }
      if alive == 0 { continue }
      lists.append((reader, list))
      having += alive
    }
    return (lists, having)
  }
}
