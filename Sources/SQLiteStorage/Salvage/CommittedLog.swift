import FileLocks

/// The pages that a write-ahead log has committed, as SQLite would find them: frames count as far as their checksums are
/// right, up to the last that ends a commit. Format: www.sqlite.org/fileformat.html#the_write_ahead_log
struct CommittedLog: Sendable {
  static let headerSize = 32
  static let frameHeaderSize = 24

  let pageSize: Int
  /// Pages of the database after the last commit.
  let pageCount: UInt32
  /// Frames that count, and those that the file has room for.
  let frames: Int
  let framesInFile: Int
  private let file: OpenFile<FileError>
  /// Where in the file the newest content of a page is.
  private let offsets: [UInt32: Int]

  /// - Returns: `nil` if there is no log, or nothing in it counts.
  init?(_ path: String) throws {
    guard let file = try OpenFile<FileError>.open(path) else { return nil }
    let header = try file.read(Self.headerSize, at: 0)
    guard let magic = header.integer32(at: 0), magic & ~1 == 0x377F_0682, header.integer32(at: 4) == 3_007_000,
      let size = header.integer32(at: 8), PageSize.isValid(Int(size)), let salt = header.integer64(at: 16),
      let expected = header.integer64(at: 24)
    else { return nil }
    let isBigEndian = magic & 1 == 1
    var checksum = LogChecksum()
    checksum.add(header[..<24], isBigEndian: isBigEndian)
    guard checksum.value == expected else { return nil }

    let pageSize = Int(size)
    let frameSize = Self.frameHeaderSize + pageSize
    let length = Int(try file.status().size)
    var offsets: [UInt32: Int] = [:]
    var pending: [UInt32: Int] = [:]
    var committed: (frames: Int, pages: UInt32)?
    var frames = 0
    var at = Self.headerSize
    while length - at >= frameSize {
      let frame = try file.read(frameSize, at: at)
      guard frame.count == frameSize, let page = frame.integer32(at: 0), let pages = frame.integer32(at: 4), page > 0,
        frame.integer64(at: 8) == salt
      else { break }
      checksum.add(frame[..<8], isBigEndian: isBigEndian)
      checksum.add(frame[Self.frameHeaderSize...], isBigEndian: isBigEndian)
      guard checksum.value == frame.integer64(at: 16) else { break }
      frames += 1
      pending[page] = at + Self.frameHeaderSize
      if pages > 0 {
        offsets.merge(pending) { _, new in new }
        pending = [:]
        committed = (frames, pages)
      }
      at += frameSize
    }
    guard let committed else { return nil }
    self.pageSize = pageSize
    self.pageCount = committed.pages
    self.frames = committed.frames
    framesInFile = (length - Self.headerSize) / frameSize
    self.file = file
    self.offsets = offsets
  }

  /// - Returns: `nil` if the log does not have the page.
  func page(_ number: UInt32) -> [UInt8]? {
    guard let offset = offsets[number] else { return nil }
    // A failing read is reported as a page that cannot be read.
    let bytes = (try? file.read(pageSize, at: offset)) ?? []
    return bytes.count == pageSize ? bytes : []
  }
}

/// The running checksum of a log, over words of 32 bits in either order.
struct LogChecksum {
  private var first: UInt32 = 0
  private var second: UInt32 = 0

  /// As it stands in the file.
  var value: UInt64 { UInt64(first) << 32 | UInt64(second) }

  /// - Parameter bytes: Their number is a multiple of 8; what is over is left out.
  mutating func add(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) {
    bytes.withUnsafeBytes { bytes in
      var at = 0
      while at + 8 <= bytes.count {
        let a = bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)
        let b = bytes.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self)
        first = first &+ (isBigEndian ? UInt32(bigEndian: a) : UInt32(littleEndian: a)) &+ second
        second = second &+ (isBigEndian ? UInt32(bigEndian: b) : UInt32(littleEndian: b)) &+ first
        at += 8
      }
    }
  }
}
