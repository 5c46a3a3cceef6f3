import EpisodicMemory
import LMDB

extension CacheTables {
  /// Removes the oldest entries until those that are left take `bytes` or less, but at most `limit` of them.
  func evict(
    downTo bytes: Int, limit: Int, tallies: inout Tallies, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    for _ in 0..<limit where tallies.bytes > bytes {
      guard let (sequence, row) = try oldest(1, in: transaction).first else { throw Self.contradiction }
      try remove(row, at: sequence, from: window, tallies: &tallies, in: &transaction)
      tallies[row.kind].evicted &+= 1
    }
  }

  private func oldest(
    _ count: Int, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> [(sequence: UInt64, row: OrderRow)] {
    var rows: [(sequence: UInt64, row: OrderRow)] = []
    var cursor = try transaction.cursor(in: window)
    while rows.count < count, let entry = try cursor.next() {
      guard let sequence = entry.integerKey else { throw Self.contradiction }
      rows.append((sequence, try OrderRow(entry.value)))
    }
    return rows
  }
}
