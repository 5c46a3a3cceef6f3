package import ByteCoding
package import LMDB

/// An inverted index over words, in one LMDB database: `search` ranks groups of documents by bm25 within a corpus, and leaves
/// out blocks of postings that cannot change the answer.
///
/// A *group* is what is ranked. It has at most one parent document and any number of child documents, which are called
/// its members; parents and children are two fields, each with statistics of its own. A document is a list of tokens at
/// positions.
///
/// ```swift
/// var batch = SegmentBuilder()
/// try batch.begin(WordDocument(field: .parent, group: 7))
/// try batch.add(token: bytes, position: 0)
/// try batch.end()
/// try environment.write { transaction in
///   try index.remove(replaced, in: &transaction)
///   try index.add(batch, in: &transaction)
/// }
/// let best = try environment.read { transaction in
///   let query = try index.prepare(query, in: transaction)
///   return try index.search(query, limit: 10, admits: { _ in true }, in: transaction)
/// }
/// ```
///
/// The index is a log of immutable segments, one for each batch. `add` merges small segments at once; `merge` merges large
/// ones in many short transactions. Removing a document sets a bit in its segment. Every value is sealed; after `.damaged`
/// the caller empties the database and adds everything again.
///
/// Invariants of every committed state, verified by `checkInvariants`:
/// - a document is alive in at most one segment;
/// - the manifest's counts, those of the levels, the bits of dead documents and the counts of dead documents by term agree;
/// - the impacts of a block and of a list are upper bounds of their postings;
/// - a segment that is not in use is listed as pending or retired.
package struct InvertedIndex: Sendable {
  /// Byte keys; nothing else may be in it.
  package let database: Database
  /// See `Seal`.
  let generation: UInt64
  let verified: VerifiedValues
  let manifests = ManifestCache()

  /// The longest prefix that can be searched for, in bytes.
  package static var longestPrefix: Int { Key.longestPrefix }

  /// - Parameter generation: A random number drawn when the files were made; values sealed with another are damaged.
  package init(database: Database, generation: UInt64, verified: VerifiedValues) {
    self.database = database
    self.generation = generation
    self.verified = verified
  }

  // MARK: Changing

  /// Adds the documents of a batch as a segment, and merges small segments.
  ///
  /// None of the documents may be in the index: remove what they replace first, in the same transaction if readers must
  /// not miss it.
  ///
  /// - Throws: `.invalid` if a document is twice in the batch.
  /// - Complexity: O(*n* log *n*) for *n* tokens; merges rewrite a document O(log *n*) times on average.
  package func add(_ batch: consuming SegmentBuilder, in transaction: inout WriteTransaction) throws(LMDBError) {
    if batch.documentCount == 0 { return }
    var manifest = try manifest(in: transaction)
    var output = SegmentOutput(id: try manifest.takeID(), generation: generation)
    let segment = try batch.encode(to: &output)
    try put(output.take(), in: &transaction)
    manifest.segments.append(segment)
    try batch.counts.add(to: self, in: &transaction)
    while let full = MergePolicy.fullTier(manifest.segments), MergePolicy.isSmall(full) {
      try mergeAtOnce(full, &manifest, in: &transaction)
    }
    try put(manifest, in: &transaction)
  }

  /// Removes documents; those that are not in the index are ignored.
  ///
  /// - Returns: How many were in the index.
  /// - Complexity: O(*s* log *n*) each, in *s* segments whose groups include the document's; writes a few hundred bytes.
  @discardableResult
  package func remove(_ documents: [WordDocument], in transaction: inout WriteTransaction) throws(LMDBError) -> Int {
    let removal = try Removal.of(documents, in: snapshot(transaction))
    return try apply(removal, in: &transaction)
  }

  /// Removes the documents of groups, parents and children.
  ///
  /// - Returns: How many documents were in the index.
  @discardableResult
  package func removeGroups(_ groups: [UInt64], in transaction: inout WriteTransaction) throws(LMDBError) -> Int {
    let removal = try Removal.ofGroups(groups, in: snapshot(transaction))
    return try apply(removal, in: &transaction)
  }

  // MARK: Reading

  /// Looks up the terms of a query.
  ///
  /// - Parameter choose: Which words count: their places, ascending, by how many documents of the corpus have each.
  /// - Returns: To be used in this transaction only.
  /// - Throws: `.damaged`; `.invalid` for a prefix longer than `longestPrefix`.
  /// - Complexity: Two lookups a word and segment. A phrase or a prefix costs finding all of its documents.
  package func prepare(
    _ query: WordQuery, in transaction: borrowing some Transaction & ~Copyable,
    choose: (_ having: [Int]) -> [Int] = { Array($0.indices) }
  ) throws(LMDBError) -> PreparedQuery {
    try PreparedQuery(query, choose: choose, snapshot(transaction))
  }

  /// The best groups, best first, equal scores by number within the partition: exactly those that scoring every match would
  /// give.
  ///
  /// - Parameter limit: 0 or less gives none.
  /// - Parameter admits: Whether a group may be in the answer; called only for groups that otherwise would be.
  package func search(
    _ query: PreparedQuery, limit: Int, admits: (UInt64) -> Bool,
    in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> [GroupScore] {
    if limit <= 0 { return [] }
    let snapshot = snapshot(transaction)
    if let search = RequiredSearch(query, snapshot) { return try search.best(limit, admits: admits) }
    return try RankedSearch(query, snapshot).best(limit, admits: admits)
  }

  /// The scores of those of some groups of the corpus that match, ascending by group.
  package func scores(
    of groups: [UInt64], _ query: PreparedQuery, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> [GroupScore] {
    if groups.isEmpty { return [] }
    let snapshot = snapshot(transaction)
    let wanted = Set(groups)
    if let search = RequiredSearch(query, snapshot) { return try search.scores(of: wanted) }
    return try RankedSearch(query, snapshot).scores(of: wanted.sorted())
  }

  /// Visits every document, segment by segment, within one by field, group and member.
  package func forEachDocument(
    in transaction: borrowing some Transaction & ~Copyable,
    _ visit: (_ document: WordDocument, _ tokens: UInt32) throws(LMDBError) -> Void
  ) throws(LMDBError) {
    let snapshot = snapshot(transaction)
    for segment in try snapshot.manifest().segments {
      for field in WordField.allCases {
        let reader = FieldReader(segment, field)
        for ordinal in 0..<segment[field].documents {
          let chunk = try reader.chunk(ordinal, snapshot)
          let place = FieldReader.place(ordinal)
          if !chunk.isDead(place) { try visit(chunk.document(place, field), chunk.length(place)) }
        }
      }
    }
  }

  package struct Statistics: Equatable, Sendable {
    package internal(set) var segments = 0
    package internal(set) var parents = 0
    package internal(set) var children = 0
    /// Removed documents that are still in segments.
    package internal(set) var dead = 0
    /// Of the values of the segments, in bytes as they were written.
    package internal(set) var bytes: UInt64 = 0
  }

  /// Reads the manifest only.
  package func statistics(in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) -> Statistics {
    let manifest = try manifest(in: transaction)
    var statistics = Statistics()
    statistics.segments = manifest.segments.count
    statistics.parents = manifest.alive(.parent)
    statistics.children = manifest.alive(.child)
    statistics.dead = manifest.segments.reduce(0) { $0 + $1.dead }
    statistics.bytes = manifest.segments.reduce(0) { $0 &+ $1.bytes }
    return statistics
  }
}
