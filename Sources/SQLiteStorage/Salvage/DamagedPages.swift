import FileLocks

/// The pages of a database that may be damaged anywhere, with what its log has of them. Changes nothing.
struct DamagedPages: Sendable {
  let pageSize: Int
  /// Bytes of a page without those that are reserved at its end.
  let usableSize: Int
  /// Pages that the file or its log has a part of.
  let count: UInt32
  let log: CommittedLog?
  private let file: RawDatabaseFile

  /// - Throws: As `RawDatabaseFile`; `StorageError.damaged` if it has no page.
  init(_ files: DatabaseFiles) throws {
    file = try RawDatabaseFile(files)
    log = try CommittedLog(files.log)
    let header = (log?.page(1) ?? file.read(min(100, Int(clamping: file.size)), at: 0)) ?? []
    let sizes = PageSizeGuess(header: header, log: log?.pageSize, file: file)
    guard let pageSize = log?.pageSize ?? sizes.best else {
      throw StorageError.damaged(path: files.path, reason: "no page of it can be recognised; restore a backup")
    }
    self.pageSize = pageSize
    usableSize = pageSize - sizes.reserved(pageSize)
    let inFile = UInt32(clamping: (file.size + Int64(pageSize) - 1) / Int64(pageSize))
    count = max(inFile, log?.pageCount ?? 0)
  }

  /// - Returns: `nil` if it is not there, or cannot be read.
  func bytes(_ number: UInt32) -> [UInt8]? {
    guard number > 0, number <= count else { return nil }
    if let bytes = log?.page(number) { return bytes.isEmpty ? nil : bytes }
    return file.read(pageSize, at: Int64(number - 1) * Int64(pageSize))
  }

  /// - Returns: `nil` if it is no page of a table or an index.
  func tree(_ number: UInt32) -> TreePage? {
    guard let bytes = bytes(number) else { return nil }
    return TreePage(bytes, headerOffset: number == 1 ? 100 : 0, usableSize: usableSize)
  }
}

/// Finds the size of the pages although the header may be damaged.
private struct PageSizeGuess {
  let header: [UInt8]
  let log: Int?
  let file: RawDatabaseFile

  private static let sample = 400

  /// The size of the header if pages are of that size, else the size that most of the file agrees with.
  var best: Int? {
    var stated = header.integer16(at: 16)
    if stated == 1 { stated = 65536 }
    let candidates = [stated, log, 4096, 1024, 8192, 16384, 32768, 65536, 2048, 512].compactMap(\.self)
    var best: (size: Int, score: Int)?
    for size in candidates where PageSize.isValid(size) {
      let score = score(size)
      if score > best?.score ?? 0 { best = (size, score) }
    }
    return best?.size
  }

  /// Bytes of a sample of pages that are pages of a table or an index, if they have that size.
  private func score(_ size: Int) -> Int {
    let count = Int(clamping: file.size / Int64(size))
    guard count > 0 else { return 0 }
    let stride = max(1, count / Self.sample)
    var score = 0
    for number in Swift.stride(from: 0, to: count, by: stride) {
      guard let bytes = file.read(size, at: Int64(number) * Int64(size)),
        let page = TreePage(bytes, headerOffset: number == 0 ? 100 : 0, usableSize: size),
        let highest = page.cells.max(),
        // The first cell of a page stands at its end.
        highest > size / 2, !page.cells.contains(0)
      else { continue }
      score += size * stride
    }
    return score
  }

  /// Bytes at the end of each page that are not SQLite's: 0 unless the file's header is whole and says otherwise.
  func reserved(_ pageSize: Int) -> Int {
    guard header.starts(with: "SQLite format 3\0".utf8), header.count > 20 else { return 0 }
    let reserved = Int(header[20])
    guard reserved > 0, reserved <= pageSize - 480 else { return 0 }
    // Cells stand at the end of the part that is used; one behind it shows that the number is damaged.
    let count = min(Self.sample, Int(clamping: file.size / Int64(pageSize)))
    let isUsed = (1..<max(count, 2)).contains { number in
      guard let bytes = file.read(pageSize, at: Int64(number) * Int64(pageSize)),
        let page = TreePage(bytes, headerOffset: 0, usableSize: pageSize)
      else { return false }
      return page.cells.contains { $0 >= pageSize - reserved } || bytes.suffix(reserved).contains { $0 != 0 }
    }
    return isUsed ? 0 : reserved
  }
}
