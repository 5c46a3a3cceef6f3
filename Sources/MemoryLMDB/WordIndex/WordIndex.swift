import ByteCoding
import LMDB

/// An inverted index of words in one LMDB database: ranks by bm25 as FTS5 does, without scoring what cannot win.
///
/// A log of immutable segments. A batch of documents becomes a segment; small ones are merged as they come, large ones in
/// pieces outside of the write lock. A document is removed by a bit in its segment. Derived and disposable: whoever meets
/// `.damaged` removes everything and feeds it again.
///
/// Invariants, from commit to commit, held by `checkInvariants`:
/// - a document is alive in one segment at most;
/// - the manifest's counts, the dead bits and the dead counts of terms agree;
/// - the impacts of a block and of a list are upper bounds of its postings;
/// - what is not in the manifest's list of segments is listed there as pending or retired.
///
/// Adding — `WordIndex+Adding`; removing — `+Removing`; merging — `+Merging`; asking — `+Searching`.
struct WordIndex: Sendable {
  /// Byte keys; nothing else may be in it.
  let database: Database
  let verified: VerifiedValues
  let seal: WordSeal
  let manifests = ManifestCache()

  /// - Parameter epoch: The life of the files; values sealed in another life count as damaged.
  init(database: Database, epoch: UInt64, verified: VerifiedValues) {
    self.database = database
    self.verified = verified
    seal = WordSeal(epoch: epoch)
  }

  func snapshot(_ transaction: borrowing some Transaction & ~Copyable) -> WordSnapshot {
    WordSnapshot(transaction.handle, self)
  }

  /// Forgets every document. O(*pages*).
  func removeAll(in transaction: inout WriteTransaction) throws(LMDBError) {
    try transaction.removeAll(in: database)
  }

  func put(_ manifest: WordManifest, in transaction: inout WriteTransaction) throws(LMDBError) {
    try put(manifest.encoded(), for: WordKey.manifest, in: &transaction)
  }

  func put(_ content: [UInt8], for key: [UInt8], in transaction: inout WriteTransaction) throws(LMDBError) {
    var value = content
    seal.seal(&value, key: key)
    try transaction.put(value.span.bytes, for: key.span.bytes, in: database)
  }
}

extension WordSnapshot {
  /// An empty one where the index is new.
  func manifest() throws(LMDBError) -> WordManifest {
    let key = WordKey.manifest
    guard let value = try raw(key.span.bytes) else {
      if try transaction.count(in: index.database) != 0 { throw .damagedWords("the manifest") }
      return WordManifest()
    }
    let stored = try index.seal.stored(in: value, "the manifest")
    if let known = index.manifests[stored] { return known }
    let content = try index.seal.open(value, key: key.span.bytes, verified: nil, "the manifest")
    let manifest = try WordManifest(content)
    index.manifests.keep(manifest, sealed: stored)
    return manifest
  }
}
