extension DataFile {
  /// Refuses a file with a page that LMDB could not use: it checks nothing itself, so a changed byte would have it
  /// read out of bounds, loop, or write over a page that is in use.
  ///
  /// Looks at the commit LMDB will open, of a file that `validate()` accepted: every page of every tree, the free list,
  /// and that no page is in two places. Pages in no place are lost, which harms nothing. A file that changes
  /// meanwhile cannot trap or hang this, but the verdict means nothing then.
  ///
  /// Takes a bit a page and a few buffers.
  ///
  /// - Throws: `.damaged` with the number of a page and the reason.
  func verifyStructure() throws(LMDBError) {
    expectReading()
    let meta = try newestMeta()
    var reader = try PageReader(meta: meta, of: self)
    let tiling = PageTiling(pageSize: reader.pageSize)
    var freeList = TreeWalk(
      "the free list", .freeList(lastTransaction: meta.transaction), meta.freeList, tiling: tiling)
    try freeList.run(&reader, in: self)
    var main = TreeWalk("the main database", .main, meta.main, tiling: tiling)
    try main.run(&reader, in: self)
    for (name, record) in main.databases {
      var database = TreeWalk("database \(name)", .database, record, tiling: tiling)
      try database.run(&reader, in: self)
    }
  }

  /// The meta page that LMDB takes the commit from. The other one it only compares and overwrites.
  private func newestMeta() throws(LMDBError) -> MetaPage {
    guard let first = MetaPage(try read(MetaPage.byteCount, at: 0)) else { throw damaged("it has no meta page") }
    try first.check(number: 0, of: path)
    guard let second = MetaPage(try read(MetaPage.byteCount, at: Int(first.pageSize))) else {
      throw damaged("it has one meta page")
    }
    try second.check(number: 1, of: path)
    for meta in [first, second] {
      // Transactions write the two in turn, and LMDB finds the last one's by whether its number is odd. A new file
      // has transaction 0 in both.
      let isOwn = meta.transaction & 1 == meta.pageNumber || meta.transaction == 0
      guard isOwn, meta.transaction <= UInt64.max / 4 else {
        throw damaged("meta page \(meta.pageNumber) is of transaction \(meta.transaction)")
      }
      guard meta.mapSize / UInt64(meta.pageSize) > meta.lastPage else {
        throw damaged("meta page \(meta.pageNumber) has \(meta.lastPage) pages in a map of \(meta.mapSize) bytes")
      }
    }
    return second.transaction > first.transaction ? second : first
  }

  private func damaged(_ reason: String) -> LMDBError {
    LMDBError(.damaged, message: "\(path) is damaged: \(reason)")
  }
}
