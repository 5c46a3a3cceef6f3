import LMDB
import WordScoring

/// The live documents of one field, over all segments.
struct Corpus {
  let field: WordField
  let readers: [FieldReader]
  private let documents: Int
  private let tokens: UInt64

  init(_ field: WordField, _ manifest: Manifest) {
    self.field = field
    documents = manifest.alive(field)
    tokens = manifest.tokens(field)
    readers = manifest.segments.filter { $0[field].alive > 0 }.map { FieldReader($0, field) }
  }

  /// - Parameter having: Live documents that contain the term or phrase.
  func scorer(having: Int) throws(LMDBError) -> TermScorer {
    guard having >= 0, having <= documents else { throw .damagedWords("a count of documents") }
    return TermScorer(documents: documents, having: having, tokens: tokens)
  }

  /// The postings of a term in each segment that has it, and how many of its documents are alive.
  func find(
    _ term: [UInt8], _ snapshot: Snapshot
  ) throws(LMDBError) -> (lists: [(reader: FieldReader, list: PostingList)], having: Int) {
    var lists: [(reader: FieldReader, list: PostingList)] = []
    var having = 0
    for reader in readers {
      guard let list = try reader.find(term, snapshot) else { continue }
      let alive = list.documents - (try reader.deadDocuments(ofTerm: list.number, snapshot))
      guard alive >= 0 else { throw .damagedWords("a table of dead counts") }
      if alive == 0 { continue }
      lists.append((reader, list))
      having += alive
    }
    return (lists, having)
  }
}
