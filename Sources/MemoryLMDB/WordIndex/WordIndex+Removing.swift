import LMDB

extension WordIndex {
  /// Removes documents; those that are not there are passed over.
  ///
  /// - Returns: How many were there.
  /// - Complexity: O(*s* log *n*) for each, *s* segments that may have it; writes a few rows of a few hundred bytes.
  @discardableResult
  func remove(_ documents: [WordDocument], in transaction: inout WriteTransaction) throws(LMDBError) -> Int {
    try remove(in: &transaction) { removal throws(LMDBError) in
      for document in documents { try removal.remove(document) }
    }
  }

  /// Removes the documents of groups, in both fields.
  ///
  /// - Returns: How many documents were there.
  @discardableResult
  func removeGroups(_ groups: [UInt64], in transaction: inout WriteTransaction) throws(LMDBError) -> Int {
    try remove(in: &transaction) { removal throws(LMDBError) in
      for group in groups {
        for field in WordField.allCases { try removal.remove(field, group) }
      }
    }
  }

  private func remove(
    in transaction: inout WriteTransaction, _ body: (inout WordRemoval) throws(LMDBError) -> Void
  ) throws(LMDBError) -> Int {
    var removal = try WordRemoval(snapshot(transaction))
    try body(&removal)
    if removal.count == 0 { return 0 }
    try removal.dead.write(self, in: &transaction)
    var manifest = removal.manifest
    let emptied = manifest.segments.filter { $0.alive == 0 }
    manifest.segments.removeAll { $0.alive == 0 }
    for segment in emptied { try retire(segment, &manifest, in: &transaction) }
    try put(manifest, in: &transaction)
    return removal.count
  }

  /// Deletes a segment's values, or leaves that to a sweep where it would take long.
  func retire(
    _ segment: WordManifest.Segment, _ manifest: inout WordManifest, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    if segment.bytes < 1 << 18 {
      _ = try deleteValues(of: segment.id, limit: .max, in: &transaction)
    } else {
      manifest.retired.append(segment.id)
    }
  }

  /// - Returns: Whether all are gone.
  func deleteValues(
    of segment: UInt32, limit: Int, in transaction: inout WriteTransaction
  ) throws(LMDBError) -> Bool {
    let prefix = WordKey.prefix(segment)
    var cursor = try transaction.writeCursor(in: database)
    var isOwn = try cursor.seek(atOrAfter: prefix.span.bytes)?.isOf(prefix) ?? false
    var deleted = 0
    while isOwn {
      if deleted == limit { return false }
      try cursor.delete()
      deleted += 1
      isOwn = try cursor.next()?.isOf(prefix) ?? false
    }
    return true
  }
}

extension Entry {
  func isOf(_ prefix: [UInt8]) -> Bool {
    key.withUnsafeBytes { $0.starts(with: prefix) }
  }
}
