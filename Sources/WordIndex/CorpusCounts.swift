import ByteCoding
import LMDB

/// The live documents and tokens of one field of one level of groups; see `WordCorpus.level`.
struct CorpusCount: Equatable {
  var documents: UInt64 = 0
  var tokens: UInt64 = 0
}

/// Changes of the counts, summed up until they are written.
struct CorpusCounts {
  struct Place: Hashable {
    let field: WordField
    let level: UInt32
  }

  private(set) var sums: [Place: CorpusCount] = [:]

  mutating func count(_ field: WordField, group: UInt64, length: UInt32) {
    for level in WordCorpus.levels(of: group) {
      sums[Place(field: field, level: level), default: CorpusCount()].documents += 1
      sums[Place(field: field, level: level), default: CorpusCount()].tokens += UInt64(length)
    }
  }

  mutating func add(_ other: CorpusCounts) {
    for (place, sum) in other.sums {
      sums[place, default: CorpusCount()].documents += sum.documents
      sums[place, default: CorpusCount()].tokens += sum.tokens
    }
  }

  /// Adds the sums to the counts of the index.
  func add(to index: InvertedIndex, in transaction: inout WriteTransaction) throws(LMDBError) {
    for (place, sum) in sums {
      let known = try index.snapshot(transaction).count(place.field, place.level)
      let count = CorpusCount(documents: known.documents &+ sum.documents, tokens: known.tokens &+ sum.tokens)
      try index.put(count, place, in: &transaction)
    }
  }

  /// Subtracts the sums from the counts of the index.
  func subtract(from index: InvertedIndex, in transaction: inout WriteTransaction) throws(LMDBError) {
    for (place, sum) in sums {
      let known = try index.snapshot(transaction).count(place.field, place.level)
      guard known.documents >= sum.documents, known.tokens >= sum.tokens else {
        throw .damagedWords("a count of documents")
      }
      let count = CorpusCount(documents: known.documents - sum.documents, tokens: known.tokens - sum.tokens)
      try index.put(count, place, in: &transaction)
    }
  }
}

extension Snapshot {
  func count(_ field: WordField, _ level: UInt32) throws(LMDBError) -> CorpusCount {
    guard let value = try mutable(Key.make(0, .counts, field, level), "a count of documents") else {
      return CorpusCount()
    }
    return try CorpusCount(value)
  }
}

extension InvertedIndex {
  fileprivate func put(
    _ count: CorpusCount, _ place: CorpusCounts.Place, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    let key = Key.make(0, .counts, place.field, place.level)
    if count.documents == 0 {
      try transaction.delete(key.span.bytes, in: database)
      return
    }
    var value = ByteWriter(capacity: 16 + Seal.byteCount)
    value.write(count.documents)
    value.write(count.tokens)
    try put(value.bytes, for: key, in: &transaction)
  }
}

extension CorpusCount {
  init(_ value: UnsafeRawBufferPointer) throws(LMDBError) {
    guard value.count == 16 else { throw .damagedWords("a count of documents") }
    self.init(documents: value.integer(at: 0), tokens: value.integer(at: 8))
  }
}
