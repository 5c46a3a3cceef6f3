/// The files beside the primary that may hold copies of what is in it: those of cache and index, and backups.
package protocol StoreFiles: Sendable {
  /// Removes the files of cache and index, whoever has them open, and begins new ones: pages that LMDB has freed keep their
  /// bytes. Other processes notice within 100 ms.
  ///
  /// - Throws: `.busy` if another process opens or closes them until `timeout` has passed.
  func removeDerived(waitingAtMost timeout: Duration) async throws(MemoryError)
  /// Removes what crashes and replaced files left: drafts, and a log that belongs to no database.
  func removeLeftovers() async throws(MemoryError)
  /// Keeps receipts beside the backups, so that a restore of an older one can repeat the erasures; each once.
  func keep(_ receipts: [StoredReceipt]) async throws(MemoryError)
  /// The receipts that were kept, in their order; without a key if that is lost.
  func receipts() async throws(MemoryError) -> [StoredReceipt]
  /// The copies of the store that have what is to be erased, or that cannot be searched; those that are beyond a bound of bytes.
  func copies(
    matching request: ErasureRequest, _ progress: @escaping @Sendable (Erasure.Progress) -> Void
  ) async throws(MemoryError) -> [ErasedCopy]
  /// The copies of the store that hold what a receipt names, by name; those that cannot be read may hold it.
  func copies(holding receipt: StoredReceipt) async throws(MemoryError) -> [String]
  /// Erases the runs of the ledger beside the store that became episodes which a receipt names.
  func eraseRuns(of receipt: StoredReceipt) async throws(MemoryError)
}

/// Of a store that has no files.
package struct NoFiles: StoreFiles {
  package init() {}
  package func removeDerived(waitingAtMost timeout: Duration) async throws(MemoryError) {}
  package func removeLeftovers() async throws(MemoryError) {}
  package func keep(_ receipts: [StoredReceipt]) async throws(MemoryError) {}
  package func receipts() async throws(MemoryError) -> [StoredReceipt] { [] }
  package func copies(
    matching request: ErasureRequest, _ progress: @escaping @Sendable (Erasure.Progress) -> Void
  ) async throws(MemoryError) -> [ErasedCopy] { [] }
  package func copies(holding receipt: StoredReceipt) async throws(MemoryError) -> [String] { [] }
  package func eraseRuns(of receipt: StoredReceipt) async throws(MemoryError) {}
}

/// A receipt with what is needed to repeat its erasure in an older copy of the store.
package struct StoredReceipt: Sendable, Hashable {
  package let receipt: ErasureReceipt
  package let store: StoreIdentity
  /// Earlier identities of the store, from before it was restored: a copy may have one of them.
  package let ancestors: [String]
  /// The key of the digests; empty if it is lost, and known by `keyID` alone.
  package var key: [UInt8]
  /// Tells which key it is; `nil` of one that was read from the store.
  package let keyID: String?
  package let traces: [Erasure.Trace]
  /// Which of the receipts of the store it is, from 1 on in the order of the commits; `nil` if it was read beside the backups.
  package let place: Int?

  package init(
    receipt: ErasureReceipt, store: StoreIdentity, ancestors: [String], key: [UInt8], keyID: String? = nil,
    traces: [Erasure.Trace], place: Int? = nil
  ) {
    self.receipt = receipt
    self.store = store
    self.ancestors = ancestors
    self.key = key
    self.keyID = keyID
    self.traces = traces
    self.place = place
  }
}
