package import LMDB

extension InvertedIndex {
  /// Runs a read transaction: `Environment.read` or a wrapper of it.
  package typealias Reading = ((borrowing ReadTransaction) throws(LMDBError) -> Void) throws(LMDBError) -> Void
  /// Runs a write transaction and commits it: `Environment.write` or a wrapper of it.
  package typealias Writing = ((inout WriteTransaction) throws(LMDBError) -> Void) throws(LMDBError) -> Void

  /// Bytes that one write transaction of a merge puts, in about a millisecond.
  package static let pieceBytes = 1 << 19

  /// Values that one write transaction deletes. LMDB reads a page of each, and the kernel maps 16 around it: 6 MiB.
  private static let sweepCount = 100

  /// A merge that `add` left undone: of a segment of which more than a quarter is dead, of a full tier, or only the values
  /// of replaced segments to delete; `nil` for none.
  package func dueMerge(in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) -> MergePlan? {
    let manifest = try manifest(in: transaction)
    if let wasteful = MergePolicy.wasteful(manifest.segments) { return MergePlan(inputs: [wasteful.id]) }
    if let full = MergePolicy.fullTier(manifest.segments) { return MergePlan(inputs: full.map(\.id)) }
    return manifest.retired.isEmpty ? nil : MergePlan(inputs: [])
  }

  /// Merges in many short transactions. Readers see the inputs until the last one commits, and then the output.
  ///
  /// Meanwhile any process may add and remove documents. If at the end one of the inputs is gone, or `removeAbandoned` was
  /// called, nothing is merged and nothing is left in the database.
  ///
  /// - Parameter pieceBytes: Bytes that one write transaction puts; a single value may be larger.
  /// - Returns: Whether it was merged.
  @discardableResult
  package func merge(
    _ plan: MergePlan, pieceBytes: Int = InvertedIndex.pieceBytes, read: Reading, write: Writing
  ) throws(LMDBError) -> Bool {
    var isMerged = plan.inputs.isEmpty
    if !plan.inputs.isEmpty, let output = try beginMerge(plan, write) {
      do throws(LMDBError) {
        isMerged = try run(SegmentMerge(plan.inputs, into: output), pieceBytes, read, write)
      } catch {
        // The first error is thrown; what cannot be abandoned now, `removeAbandoned` finds.
        try? write { transaction throws(LMDBError) in try abandon(output.id, in: &transaction) }
        throw error
      }
      if !isMerged {
        try write { transaction throws(LMDBError) in try abandon(output.id, in: &transaction) }
      }
    }
    try sweep(write)
    return isMerged
  }

  /// Deletes the output of merges whose process was killed. A merge that is still running ends without effect, so call it
  /// while none runs.
  package func removeAbandoned(write: Writing) throws(LMDBError) {
    try write { transaction throws(LMDBError) in
      var manifest = try manifest(in: transaction)
      if manifest.pending.isEmpty { return }
      manifest.retired += manifest.pending
      manifest.pending = []
      try put(manifest, in: &transaction)
    }
    try sweep(write)
  }

  /// Merges small segments inside the transaction of `add`.
  func mergeAtOnce(
    _ segments: [Manifest.Segment], _ manifest: inout Manifest, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    let output = SegmentOutput(id: try manifest.takeID(), generation: generation)
    var merge = SegmentMerge(segments.map(\.id), into: output)
    try merge.step(segments, snapshot(transaction), budget: .max)
    try put(merge.take(), in: &transaction)
    for segment in merge.replaceInputs(in: &manifest) { try retire(segment, &manifest, in: &transaction) }
  }

  private func beginMerge(_ plan: MergePlan, _ write: Writing) throws(LMDBError) -> SegmentOutput? {
    var output: SegmentOutput?
    try write { transaction throws(LMDBError) in
      var manifest = try manifest(in: transaction)
      guard plan.inputs.allSatisfy({ id in manifest.segments.contains { $0.id == id } }) else { return }
      let id = try manifest.takeID()
      manifest.pending.append(id)
      try put(manifest, in: &transaction)
      output = SegmentOutput(id: id, generation: generation)
    }
    return output
  }

  private func run(
    _ merge: consuming SegmentMerge, _ pieceBytes: Int, _ read: Reading, _ write: Writing
  ) throws(LMDBError) -> Bool {
    var merge = merge
    while !merge.isDone {
      var isWanted = false
      try read { transaction throws(LMDBError) in
        let snapshot = snapshot(transaction)
        guard let segments = Self.inputs(of: merge, in: try snapshot.manifest()) else { return }
        isWanted = true
        try merge.step(segments, snapshot, budget: pieceBytes)
      }
      guard isWanted else { return false }
      let entries = merge.take()
      var isOpen = true
      try write { transaction throws(LMDBError) in
        isOpen = try manifest(in: transaction).pending.contains(merge.output.id)
        if isOpen { try put(entries, in: &transaction) }
      }
      guard isOpen else { return false }
    }
    var isMerged = false
    try write { transaction throws(LMDBError) in isMerged = try finish(merge, in: &transaction) }
    return isMerged
  }

  private func finish(_ merge: SegmentMerge, in transaction: inout WriteTransaction) throws(LMDBError) -> Bool {
    var manifest = try manifest(in: transaction)
    guard let segments = Self.inputs(of: merge, in: manifest) else { return false }
    manifest.pending.removeAll { $0 == merge.output.id }
    manifest.retired += merge.replaceInputs(in: &manifest).map(\.id)
    try merge.carryOver(segments, snapshot(transaction), &manifest).write(to: self, in: &transaction)
    if let place = manifest.segments.firstIndex(where: { $0.id == merge.output.id }),
      manifest.segments[place].alive == 0
    {
      manifest.retired.append(manifest.segments.remove(at: place).id)
    }
    try put(manifest, in: &transaction)
    return true
  }

  /// The inputs of a merge as they are now; `nil` if one is gone or the merge was abandoned.
  private static func inputs(of merge: SegmentMerge, in manifest: Manifest) -> [Manifest.Segment]? {
    guard manifest.pending.contains(merge.output.id) else { return nil }
    let segments = merge.inputs.compactMap { id in manifest.segments.first { $0.id == id } }
    return segments.count == merge.inputs.count ? segments : nil
  }

  private func abandon(_ id: UInt32, in transaction: inout WriteTransaction) throws(LMDBError) {
    var manifest = try manifest(in: transaction)
    guard manifest.pending.contains(id) else { return }
    manifest.pending.removeAll { $0 == id }
    manifest.retired.append(id)
    try put(manifest, in: &transaction)
  }

  /// Deletes the values of replaced segments, 2,000 a transaction.
  private func sweep(_ write: Writing) throws(LMDBError) {
    var isClean = false
    while !isClean {
      try write { transaction throws(LMDBError) in
        var manifest = try manifest(in: transaction)
        guard let id = manifest.retired.first else {
          isClean = true
          return
        }
        guard try deleteValues(of: id, limit: Self.sweepCount, in: &transaction) else { return }
        manifest.retired.removeFirst()
        isClean = manifest.retired.isEmpty
        try put(manifest, in: &transaction)
      }
    }
  }
}
