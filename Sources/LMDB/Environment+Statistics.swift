import CLMDB
import Synchronization

extension Environment {
  /// How full an environment is.
  package struct Statistics: Hashable, Sendable {
    /// Bytes a page.
    package let pageSize: Int
    /// Bytes the data file can grow to.
    package let mapSize: Int
    /// Bytes up to the last page that was ever used; never shrinks.
    package let usedBytes: Int
    /// Pages below that which hold nothing. Some of them cannot be reused before older readers end.
    package let freePages: Int
    /// Read transactions in flight, over all processes, dead ones included until `checkReaders()`.
    package let readers: Int
    /// Reader slots there are.
    package let maxReaders: Int
    /// Number of the last commit.
    package let lastTransaction: Int
    /// Entries of each database that is open in this process, by name.
    package let entries: [String: Int]

    /// Share of the map that is still free, 0...1. Keep 0.10 to 0.15: LMDB copies pages before it frees any.
    package var headroom: Double {
      guard mapSize > 0 else { return 0 }
      let live = Double(usedBytes) - Double(freePages) * Double(pageSize)
      return min(max(1 - live / Double(mapSize), 0), 1)
    }
  }

  /// - Complexity: O(*n*), *n* the transactions whose freed pages are not reused yet.
  package func statistics() throws(LMDBError) -> Statistics {
    // Before the transaction begins, which would not see a database opened later.
    let open = databases.withLock { Array($0.values) }
    return try read { transaction throws(LMDBError) in
      var info = MDB_envinfo()
      try LMDBError.check(mdb_env_info(pointer, &info), "read statistics", path)
      var free = MDB_stat()
      try LMDBError.check(mdb_stat(transaction.handle.transaction, 0, &free), "read statistics", path)
      let pageSize = Int(free.ms_psize)
      var entries: [String: Int] = [:]
      for database in open { entries[database.name] = try transaction.count(in: database) }
      return Statistics(
        pageSize: pageSize,
        mapSize: info.me_mapsize,
        usedBytes: (info.me_last_pgno &+ 1).multipliedReportingOverflow(by: pageSize).partialValue,
        freePages: try transaction.handle.countFreePages(),
        readers: countReaders(),
        maxReaders: Int(info.me_maxreaders),
        lastTransaction: info.me_last_txnid,
        entries: entries)
    }
  }

  /// Without the calling transaction. LMDB reports readers only as text, one line each after a heading; `-` stands for the
  /// number of a transaction that is not in flight, but kept to be renewed.
  private func countReaders() -> Int {
    var lines = 0
    _ = withUnsafeMutablePointer(to: &lines) { count in
      mdb_reader_list(
        pointer,
        { line, context in
          guard let line, !String(cString: line).hasSuffix(" -\n") else { return 0 }
          context?.assumingMemoryBound(to: Int.self).pointee += 1
          return 0
        }, count)
    }
    return max(lines - 2, 0)
  }
}

extension TransactionHandle {
  /// Pages on the free list: a record each for the transactions that freed them, its first word their number.
  fileprivate func countFreePages() throws(LMDBError) -> Int {
    var opened: OpaquePointer?
    try LMDBError.check(mdb_cursor_open(transaction, 0, &opened), "read the free list", environment.path)
    defer { mdb_cursor_close(opened) }
    var pages = 0
    var key = MDB_val()
    var value = MDB_val()
    while true {
      let returnCode = mdb_cursor_get(opened, &key, &value, MDB_NEXT)
      if returnCode == MDB_NOTFOUND { return pages }
      try LMDBError.check(returnCode, "read the free list", environment.path)
      guard value.mv_size >= MemoryLayout<Int>.size, let data = value.mv_data else { continue }
      pages &+= data.loadUnaligned(as: Int.self)
    }
  }
}
