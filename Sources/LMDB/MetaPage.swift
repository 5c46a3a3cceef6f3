/// One of the two meta pages of a data file: where a commit says what belongs to it.
///
/// Layout of format 1 on a 64-bit machine, in native byte order: page header at 0 (number 8 bytes, padding 2, flags 2,
/// bounds 4), then magic 4, version 4, address 8, map size 8, the records of the free list and of the main database
/// (48 each: see `TreeRecord`), last page 8, transaction 8.
struct MetaPage: Equatable {
  static let byteCount = 152

  let pageNumber: UInt64
  let pageFlags: UInt16
  let magic: UInt32
  let version: UInt32
  /// LMDB keeps it in the padding of the free list's record.
  let pageSize: UInt32
  let mapSize: UInt64
  let freeList: TreeRecord
  let main: TreeRecord
  let lastPage: UInt64
  let transaction: UInt64

  /// LMDB keeps the environment's flags in the record of the free list.
  var environmentFlags: UInt16 { freeList.flags }
  var freeListRoot: UInt64 { freeList.root }
  var mainRoot: UInt64 { main.root }

  /// `nil` if `bytes` are fewer than `byteCount`.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= Self.byteCount else { return nil }
    let page = PageBytes(bytes)
    guard let pageNumber = page.load(UInt64.self, at: 0), let pageFlags = page.load(UInt16.self, at: 10),
      let magic = page.load(UInt32.self, at: 16), let version = page.load(UInt32.self, at: 20),
      let mapSize = page.load(UInt64.self, at: 32),
      let freeList = bytes.withUnsafeBytes({ TreeRecord($0, at: 40) }),
      let main = bytes.withUnsafeBytes({ TreeRecord($0, at: 88) }),
      let lastPage = page.load(UInt64.self, at: 136), let transaction = page.load(UInt64.self, at: 144)
    else { return nil }
    self.pageNumber = pageNumber
    self.pageFlags = pageFlags
    self.magic = magic
    self.version = version
    self.pageSize = freeList.padding
    self.mapSize = mapSize
    self.freeList = freeList
    self.main = main
    self.lastPage = lastPage
    self.transaction = transaction
  }

  /// - Parameter number: 0 or 1, the page it was read from.
  func check(number: UInt64, of path: String) throws(LMDBError) {
    func damaged(_ reason: String) -> LMDBError {
      LMDBError(.damaged, message: "\(path) is damaged: meta page \(number) \(reason)")
    }
    guard magic == 0xBEEF_C0DE else { throw damaged("has no LMDB magic number") }
    guard version == 1 else {
      throw LMDBError(.versionMismatch, message: "\(path) has LMDB format \(version), not 1")
    }
    guard pageFlags & 0x08 != 0, pageNumber == number else { throw damaged("is another page") }
    guard (512...32_768).contains(pageSize), pageSize & (pageSize - 1) == 0 else {
      throw damaged("names a page size of \(pageSize)")
    }
    // The free list has integer keys; the lowest bit would have the map at a fixed address.
    guard environmentFlags & 0x09 == 0x08 else { throw damaged("has flags \(environmentFlags)") }
    guard lastPage >= 1, lastPage < UInt64(Int.max) / UInt64(pageSize) else {
      throw damaged("names \(lastPage) as the last page")
    }
    for root in [freeListRoot, mainRoot] where root != Self.noRoot && (root < 2 || root > lastPage) {
      throw damaged("names page \(root) of \(lastPage) as a root")
    }
  }

  /// The root of an empty tree.
  static let noRoot = TreeRecord.noRoot
}
