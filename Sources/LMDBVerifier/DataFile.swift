package import FileLocks

/// Why LMDB must not map a data file.
package enum DataFileError: FileFailure, Hashable {
  /// What is wrong, with the number of a page.
  case damaged(String)
  /// Written in a format other than 1.
  case unknownFormat(String)
  /// Other processes write to it faster than it can be examined.
  case changing(String)
  /// It cannot be read.
  case file(FileError)

  package init(_ error: FileError) { self = .file(error) }
}

/// A data file of LMDB, read without LMDB, to see whether LMDB may map it: LMDB trusts every byte of it.
///
/// Only for a file that is not open as an environment in this process: closing the descriptor drops the process's locks on
/// the file (I5). `Environment.open` holds the lock of its directory meanwhile.
package struct DataFile: ~Copyable {
  private let file: OpenFile<DataFileError>

  var path: String { file.path }

  package init(at path: String) throws(DataFileError) {
    guard let file = try OpenFile<DataFileError>.open(path) else { throw .file(.last("open", path)) }
    self.file = file
  }

  /// Refuses a file that is not of format 1, or that lacks a page of the last commit: a read behind the end of a mapped file
  /// kills the process with SIGBUS.
  ///
  /// Another process may be writing, so a verdict counts only if the file has not changed meanwhile.
  ///
  /// Cost: two reads of 152 bytes; for a file shorter than its last page, the free list.
  package func checkCompleteness() throws(DataFileError) {
    var state = try readState()
    for _ in 0..<16 {
      do {
        return try check(state)
      } catch {
        let later = try readState()
        if later == state { throw error }
        state = later
      }
    }
    throw .changing("\(path) changes faster than it can be examined")
  }

  /// Refuses a file with a page that LMDB could not use: it checks nothing itself, so a changed byte would have it read out
  /// of bounds, loop, or write over a page that is in use.
  ///
  /// Examines the commit LMDB will open, of a file that is complete: every page of every tree, the free list, and that no
  /// page is in two places. Pages in no place are lost, which harms nothing. Values are not examined. A file that changes
  /// meanwhile cannot trap or hang this, but then the verdict means nothing.
  ///
  /// Reads every page but those of large values, at some GB/s from memory. Takes a bit a page and a few buffers.
  package func verifyStructure() throws(DataFileError) {
    // Values and lost pages as well, which are not examined: the next process finds the file in memory, and need not verify it.
    try file.readAhead()
    let meta = try newestMeta()
    var reader = try PageReader(meta: meta, of: file)
    let tiling = PageTiling(pageSize: reader.pageSize)
    var freeList = TreeWalk(
      "the free list", .freeList(lastTransaction: meta.transaction), meta.freeList, tiling: tiling)
    try freeList.run(&reader, in: file)
    var main = TreeWalk("the main database", .main, meta.main, tiling: tiling)
    try main.run(&reader, in: file)
    for (name, record) in main.databases {
      var database = TreeWalk("database \(name)", .database, record, tiling: tiling)
      try database.run(&reader, in: file)
    }
  }

  /// The meta page that LMDB takes the commit from. The other one it only compares and overwrites.
  private func newestMeta() throws(DataFileError) -> MetaPage {
    guard let first = MetaPage(try file.read(MetaPage.byteCount, at: 0)) else {
      throw file.damaged("it has no meta page")
    }
    try first.check(number: 0, of: path)
    guard let second = MetaPage(try file.read(MetaPage.byteCount, at: Int(first.pageSize))) else {
      throw file.damaged("it has one meta page")
    }
    try second.check(number: 1, of: path)
    for meta in [first, second] {
      // Transactions write the two in turn, and LMDB finds the last one's by whether its number is odd. A new file
      // has transaction 0 in both.
      let isOwn = meta.transaction & 1 == meta.pageNumber || meta.transaction == 0
      guard isOwn, meta.transaction <= UInt64.max / 4 else {
        throw file.damaged("meta page \(meta.pageNumber) is of transaction \(meta.transaction)")
      }
      guard meta.mapSize / UInt64(meta.pageSize) > meta.lastPage else {
        throw file.damaged("meta page \(meta.pageNumber) has \(meta.lastPage) pages in a map of \(meta.mapSize) bytes")
      }
    }
    return second.transaction > first.transaction ? second : first
  }

  private struct State: Equatable {
    let first: MetaPage?
    let second: MetaPage?
    let size: Int
  }

  /// The size comes last: a commit writes its pages before the meta page that counts on them.
  private func readState() throws(DataFileError) -> State {
    let first = MetaPage(try file.read(MetaPage.byteCount, at: 0))
    var second: MetaPage?
    if let first, first.pageSize <= 65_536 {
      second = MetaPage(try file.read(MetaPage.byteCount, at: Int(first.pageSize)))
    }
    return State(first: first, second: second, size: Int(try file.status().size))
  }

  private func check(_ state: State) throws(DataFileError) {
    guard let first = state.first else {
      throw file.damaged("its \(state.size) bytes are less than a meta page")
    }
    try first.check(number: 0, of: path)
    guard let second = state.second else {
      throw file.damaged("its \(state.size) bytes end before meta page 1")
    }
    try second.check(number: 1, of: path)
    guard first.pageSize == second.pageSize else {
      throw file.damaged("page sizes \(first.pageSize) and \(second.pageSize)")
    }
    let newest = second.transaction > first.transaction ? second : first
    let pages = UInt64(state.size) / UInt64(newest.pageSize)
    if pages >= newest.lastPage + 1 { return }
    try FreeList(meta: newest).check(holdsPagesFrom: pages, of: file)
  }
}

extension OpenFile<DataFileError> {
  func damaged(_ reason: String) -> DataFileError { .damaged("\(path) is damaged: \(reason)") }
}
