import LMDB

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

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

/// bm25 as FTS5 computes it, operation by operation, so that both give the same doubles.
struct TermScorer {
  private static let k1 = 1.2
  private static let b = 0.75

  private let idf: Double
  private let averageLength: Double

  /// - Parameters:
  ///   - documents: Of the field, alive.
  ///   - having: Those among them that contain the term.
  ///   - tokens: Of all of them.
  init(documents: Int, having: Int, tokens: UInt64) {
    let rarity = log((Double(documents - having) + 0.5) / (Double(having) + 0.5))
    idf = rarity <= 0 ? 1e-6 : rarity
    averageLength = documents == 0 ? 1 : Double(tokens) / Double(documents)
  }

  @inline(__always)
  func score(_ frequency: UInt32, _ length: UInt32) -> Double {
    let (frequency, length) = (Double(frequency), Double(length))
    return idf
      * ((frequency * (Self.k1 + 1.0))
        / (frequency + Self.k1 * (1 - Self.b + Self.b * length / averageLength)))
  }
}
