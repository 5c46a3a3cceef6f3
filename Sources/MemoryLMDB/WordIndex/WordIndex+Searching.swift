import LMDB

extension WordIndex {
  /// The best groups, best first, equal ones by number; exactly those that scoring every match would give.
  ///
  /// - Parameter limit: At most so many; none for 0 or less.
  /// - Parameter admits: Whether a group may be in the answer. Only asked for one that would be.
  /// - Throws: `.damaged`, `.invalid` for a prefix longer than `WordKey.longestPrefix`.
  func search(
    _ query: WordQuery, limit: Int, admits: (UInt64) -> Bool, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> [GroupScore] {
    if limit <= 0 { return [] }
    let snapshot = snapshot(transaction)
    let manifest = try snapshot.manifest()
    if query.requires { return try RequiredSearch(query, snapshot, manifest).best(limit, admits: admits) }
    return try RankedSearch(query, snapshot, manifest).best(limit, admits: admits)
  }

  /// The scores of those of some groups that match, ascending by group.
  ///
  /// - Parameter groups: In any order.
  func scores(
    of groups: [UInt64], _ query: WordQuery, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> [GroupScore] {
    if groups.isEmpty { return [] }
    let snapshot = snapshot(transaction)
    let manifest = try snapshot.manifest()
    let wanted = Set(groups)
    if query.requires { return try RequiredSearch(query, snapshot, manifest).scores(of: wanted) }
    return try RankedSearch(query, snapshot, manifest).scores(of: wanted.sorted())
  }
}
