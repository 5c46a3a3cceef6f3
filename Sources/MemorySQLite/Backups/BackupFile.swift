import ByteCoding
import EpisodicMemory
import FileLocks
import Gzip

/// The open file of a backup: read in pieces, hashed, and unpacked.
struct BackupFile {
  /// 1 MiB: read between two looks at whether to go on.
  private static let pieceBytes = 1 << 20
  private static let database = Array("SQLite format 3\0".utf8)

  let backup: Backup
  /// Told by the first bytes, not by the name.
  let compression: Backup.Compression
  private let file: OpenFile<FileError>

  /// - Parameter path: Of a file that a person named; links are followed.
  /// - Throws: `.notFound`; `.invalid` for what is no backup; `.conflict` for a database in use.
  init(_ path: String) throws(MemoryError) {
    do {
      // What belongs to a database stands beside the file itself, not beside a link to it.
      let path = try FileStatus(of: path)?.kind == .symbolicLink ? RealPath.resolve(path) : path
      // Before it is opened: closing it would drop the locks that SQLite holds on it in this process (I5).
      try Self.requireUnused(path)
      guard let file = try OpenFile<FileError>.reading(path),
        let backup = BackupFolder.backup(at: path, BackupName(path.split(separator: "/").last.map(String.init) ?? ""))
      else { throw MemoryError(.notFound, "there is no backup \(path)") }
      self.file = file
      self.backup = backup
      let head = try file.read(Self.database.count, at: 0)
      if head == Self.database {
        compression = .none
      } else if head.starts(with: GzipReader.magic) {
        compression = .gzip
      } else if backup.manifest != nil {
        throw MemoryError(.corrupted, "\(path) is damaged: it does not begin as a database; restore another backup")
      } else {
        throw MemoryError(.invalid, "\(path) is no backup: it is neither a SQLite database nor one inside a gzip file")
      }
    } catch let error as MemoryError {
      throw error
    } catch {
      throw MemoryError(readingBackup: error, path: path)
    }
  }

  /// A file that a program uses, or that has not everything in itself, is no backup.
  private static func requireUnused(_ path: String) throws {
    for suffix in ["-wal", "-journal"] {
      guard let log = try FileStatus(of: path + suffix), log.size > 0 else { continue }
      throw MemoryError(
        .conflict,
        "\(path) has a log, \(path)\(suffix), that belongs to it: it is in use, or was damaged; back up that "
          + "store instead, or salvage it")
    }
    if try FileStatus(of: path + "-shm") != nil {
      throw MemoryError(
        .conflict,
        "\(path) is in use, or its program was killed: there is \(path)-shm; back up that store instead, or end the "
          + "program, or remove \(path)-shm if there is none")
    }
    if let lock = try FileStatus(of: path + "-lock"),
      let process = LockHolders().processes(on: lock.identity).first
    {
      throw MemoryError(
        .conflict,
        "\(path) is the database of a store that the process \(ProcessState.name(of: process)) writes; back up that "
          + "store instead")
    }
  }

  /// What the file says against its manifest; `nil` if they agree.
  ///
  /// Cost: reads the file once, 4 ms a mebibyte at most.
  func difference(
    from manifest: BackupManifest, _ progress: (_ done: Int, _ total: Int) throws -> Void
  ) throws -> String? {
    if backup.fileBytes != manifest.fileBytes {
      let cut = backup.fileBytes < manifest.fileBytes ? "it was cut: " : ""
      return "\(cut)it has \(backup.fileBytes) bytes, and its manifest says \(manifest.fileBytes)"
    }
    let digest = try Self.digest(of: file, progress)
    return digest == manifest.sha256 ? nil : "its SHA-256 is \(digest), and its manifest says \(manifest.sha256)"
  }

  /// Appends the database to a draft, decompressed.
  func unpack(into draft: DraftFile, _ progress: (_ done: Int, _ total: Int) throws -> Void) throws {
    let target = try draft.file()
    switch compression {
    case .none: try Self.forEachPiece(of: file, progress) { piece in try target.append(piece) }
    case .gzip:
      var reader = try GzipReader(file)
      try Self.forEachPiece(&reader, progress) { piece in try target.append(piece) }
    }
  }

  /// Whether a compressed file ends with the content that was unpacked from it: its last four bytes are the length, modulo 2^32
  /// (RFC 1952).
  func endsWithContent(of draft: DraftFile) throws -> Bool {
    let length = UInt32(truncatingIfNeeded: try draft.file().status().size)
    let last = try file.read(4, at: max(Int(backup.fileBytes) - 4, 0))
    return withUnsafeBytes(of: length.littleEndian) { $0.elementsEqual(last) }
  }

  // MARK: Pieces

  /// SHA-256 in hexadecimal.
  static func digest(
    of file: OpenFile<FileError>, _ progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
  ) throws -> String {
    var hash = SHA256()
    try forEachPiece(of: file, progress) { piece in hash.update(piece) }
    return hexadecimal(hash.finalized())
  }

  /// Of what a gzip file holds.
  static func digest(ofContentOf file: OpenFile<FileError>) throws -> String {
    var hash = SHA256()
    var reader = try GzipReader(file)
    try forEachPiece(&reader, { _, _ in }) { piece in hash.update(piece) }
    return hexadecimal(hash.finalized())
  }

  static func forEachPiece(
    of file: OpenFile<FileError>, _ progress: (_ done: Int, _ total: Int) throws -> Void,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let total = Int(try file.status().size)
    var done = 0
    while true {
      let piece = try file.read(pieceBytes, at: done)
      guard !piece.isEmpty else { return }
      try piece.withUnsafeBytes { try body($0) }
      done += piece.count
      try progress(done, total)
    }
  }

  private static func forEachPiece(
    _ reader: inout GzipReader, _ progress: (_ done: Int, _ total: Int) throws -> Void,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    var piece = [UInt8](repeating: 0, count: pieceBytes)
    var done = 0
    while true {
      let count = try piece.withUnsafeMutableBytes { buffer throws(GzipError) in try reader.read(into: buffer) }
      guard count > 0 else { return }
      try piece.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
      done += count
      try progress(done, 0)
    }
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }
}
