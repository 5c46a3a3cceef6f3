import ByteCoding
import LMDB

extension WordIndex {
  /// Verifies everything: each seal, each order, each count, each bound, and that nothing is there that does not belong.
  ///
  /// - Throws: `.damaged` with the first thing that is wrong.
  /// - Complexity: Reads every byte; keeps 40 bytes a document in memory.
  func checkInvariants(in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) {
    // What this process has found intact before counts for nothing here.
    let fresh = WordIndex(database: database, epoch: seal.epoch, verified: VerifiedValues())
    let snapshot = fresh.snapshot(transaction)
    let manifest = try snapshot.manifest()
    try fresh.checkValues(snapshot, manifest)
    var names: [[WordDocument]] = []
    for segment in manifest.segments {
      guard segment.alive > 0 else { throw .damagedWords("an empty segment") }
      for field in WordField.allCases {
        var check = FieldCheck(FieldReader(snapshot, segment, field))
        try check.run()
        names.append(check.alive)
      }
    }
    let all = names.joined().sorted()
    for (a, b) in zip(all, all.dropFirst()) where a == b {
      throw LMDBError(.damaged, message: "document \(a.group)/\(a.member) is twice in the word index")
    }
  }

  /// Checks each seal, and that each value is of a segment in the manifest.
  private func checkValues(_ snapshot: WordSnapshot, _ manifest: WordManifest) throws(LMDBError) {
    let listed = manifest.segments.map(\.id) + manifest.pending + manifest.retired
    let known = Set(listed)
    guard known.count == listed.count, listed.allSatisfy({ $0 > 0 && $0 < manifest.nextID }) else {
      throw .damagedWords("the manifest")
    }
    let transaction = snapshot.transaction
    var cursor = try transaction.cursor(in: database)
    while let entry = try cursor.next() {
      let key = entry.key.withUnsafeBytes { Array($0) }
      let value = entry.value.withUnsafeBytes { $0 }
      _ = try seal.open(value, key: key.span.bytes, verified: nil, "a value")
      if key == WordKey.manifest { continue }
      let segment = key.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      guard key.count >= WordKey.prefixCount, known.contains(segment) else { throw .damagedWords("a key") }
    }
  }
}
