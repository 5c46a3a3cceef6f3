import LMDB

extension WordIndex {
  /// Adds the documents of a batch as a segment, and merges small segments as long as that is cheap.
  ///
  /// None of them may be there; remove what is replaced before, in the same transaction if readers must not miss it.
  ///
  /// - Throws: `.invalid` for a document that is twice in the batch.
  /// - Complexity: O(*n* log *n*) for the batch; with merges O(log *n*) rewrites for each document in the mean.
  func add(_ builder: consuming SegmentBuilder, in transaction: inout WriteTransaction) throws(LMDBError) {
    if builder.documentCount == 0 { return }
    var manifest = try snapshot(transaction).manifest()
    var output = SegmentOutput(id: try manifest.takeID(), seal: seal)
    let segment = try builder.encode(to: &output)
    try write(output.take(), in: &transaction)
    manifest.segments.append(segment)
    while let full = MergePolicy.fullTier(manifest.segments), MergePolicy.isSmall(full) {
      try mergeAtOnce(full, &manifest, in: &transaction)
    }
    try put(manifest, in: &transaction)
  }

  func write(_ entries: [(key: [UInt8], value: [UInt8])], in transaction: inout WriteTransaction) throws(LMDBError) {
    for entry in entries { try transaction.put(entry.value.span.bytes, for: entry.key.span.bytes, in: database) }
  }

  private func mergeAtOnce(
    _ segments: [WordManifest.Segment], _ manifest: inout WordManifest, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    let output = SegmentOutput(id: try manifest.takeID(), seal: seal)
    var merge = SegmentMerge(segments.map(\.id), into: output)
    // All of it before the first write: what was written in this transaction moves with the next change.
    try merge.step(segments, snapshot(transaction), budget: .max)
    try write(merge.take(), in: &transaction)
    for segment in merge.replaceInputs(in: &manifest) { try retire(segment, &manifest, in: &transaction) }
  }
}
