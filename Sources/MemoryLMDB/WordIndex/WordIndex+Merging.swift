import LMDB

extension WordIndex {
  /// Lends a snapshot: `Environment.read`, or what wraps it.
  typealias Reading = ((borrowing ReadTransaction) throws(LMDBError) -> Void) throws(LMDBError) -> Void
  /// Lends a write transaction and commits it: `Environment.write`, or what wraps it in a lock of its own.
  typealias Writing = ((inout WriteTransaction) throws(LMDBError) -> Void) throws(LMDBError) -> Void

  /// Of output that one write transaction of a merge puts: about a millisecond.
  static let pieceBytes = 1 << 19

  /// Values that one transaction deletes.
  private static let sweepCount = 2_000

  /// A merge that `add` left undone: a tier that is full, a segment of which more than a quarter is dead, or replaced
  /// segments whose values are still there.
  func dueMerge(in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) -> MergePlan? {
    let manifest = try snapshot(transaction).manifest()
    if let wasteful = MergePolicy.wasteful(manifest.segments) {
      return MergePlan(inputs: [wasteful.id], documents: wasteful.documents)
    }
    if let full = MergePolicy.fullTier(manifest.segments) {
      return MergePlan(inputs: full.map(\.id), documents: full.reduce(0) { $0 + $1.documents })
    }
    return manifest.retired.isEmpty ? nil : MergePlan(inputs: [], documents: 0)
  }

  /// Merges in many short transactions. Readers see the inputs until the last but few, and the output from then on.
  ///
  /// Documents may be added and removed meanwhile, by whomever. If one of the inputs is gone at the end, or somebody called
  /// `removeAbandoned`, nothing is merged and nothing is left behind.
  ///
  /// - Parameter pieceBytes: Of output that one write transaction puts; a single value can be larger.
  /// - Returns: Whether it was done.
  @discardableResult
  func merge(_ plan: MergePlan, pieceBytes: Int = WordIndex.pieceBytes, read: Reading, write: Writing) throws(LMDBError)
    -> Bool
  {
    var isMerged = plan.inputs.isEmpty
    if !plan.inputs.isEmpty, let output = try beginMerge(plan, write) {
      do throws(LMDBError) {
        isMerged = try run(SegmentMerge(plan.inputs, into: output), pieceBytes, read, write)
      } catch {
        // What stopped it is the news; whatever cannot be given up now, `removeAbandoned` finds.
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

  /// Deletes what merges left behind whose process was killed, and makes one that still runs end without effect. Call it
  /// when no merge runs.
  func removeAbandoned(write: Writing) throws(LMDBError) {
    try write { transaction throws(LMDBError) in
      var manifest = try snapshot(transaction).manifest()
      if manifest.pending.isEmpty { return }
      manifest.retired += manifest.pending
      manifest.pending = []
      try put(manifest, in: &transaction)
    }
    try sweep(write)
  }

  private func beginMerge(_ plan: MergePlan, _ write: Writing) throws(LMDBError) -> SegmentOutput? {
    var output: SegmentOutput?
    try write { transaction throws(LMDBError) in
      var manifest = try snapshot(transaction).manifest()
      guard plan.inputs.allSatisfy({ id in manifest.segments.contains { $0.id == id } }) else { return }
      let id = try manifest.takeID()
      manifest.pending.append(id)
      try put(manifest, in: &transaction)
      output = SegmentOutput(id: id, seal: seal)
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
        isOpen = try snapshot(transaction).manifest().pending.contains(merge.output.id)
        if isOpen { try self.write(entries, in: &transaction) }
      }
      guard isOpen else { return false }
    }
    var isMerged = false
    try write { transaction throws(LMDBError) in isMerged = try finish(merge, in: &transaction) }
    return isMerged
  }

  private func finish(_ merge: SegmentMerge, in transaction: inout WriteTransaction) throws(LMDBError) -> Bool {
    let snapshot = snapshot(transaction)
    var manifest = try snapshot.manifest()
    guard manifest.pending.contains(merge.output.id), let segments = Self.inputs(of: merge, in: manifest) else {
      return false
    }
    manifest.pending.removeAll { $0 == merge.output.id }
    manifest.retired += merge.replaceInputs(in: &manifest).map(\.id)
    try merge.carryOver(segments, snapshot, &manifest).write(self, in: &transaction)
    if let place = manifest.segments.firstIndex(where: { $0.id == merge.output.id }),
      manifest.segments[place].alive == 0
    {
      manifest.retired.append(manifest.segments.remove(at: place).id)
    }
    try put(manifest, in: &transaction)
    return true
  }

  /// The inputs of a merge as they are now; `nil` if one is gone or the merge was called off.
  private static func inputs(of merge: SegmentMerge, in manifest: WordManifest) -> [WordManifest.Segment]? {
    guard manifest.pending.contains(merge.output.id) else { return nil }
    let segments = merge.inputs.compactMap { id in manifest.segments.first { $0.id == id } }
    return segments.count == merge.inputs.count ? segments : nil
  }

  private func abandon(_ id: UInt32, in transaction: inout WriteTransaction) throws(LMDBError) {
    var manifest = try snapshot(transaction).manifest()
    guard manifest.pending.contains(id) else { return }
    manifest.pending.removeAll { $0 == id }
    manifest.retired.append(id)
    try put(manifest, in: &transaction)
  }

  /// Deletes the values of replaced segments, a few thousand a transaction.
  private func sweep(_ write: Writing) throws(LMDBError) {
    var isClean = false
    while !isClean {
      try write { transaction throws(LMDBError) in
        var manifest = try snapshot(transaction).manifest()
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
