package import EpisodicMemory
import FileLocks
import Foundation
import GRDB
import SQLiteStorage

/// Looks for what is to be erased in the copies of a store, before it is erased: afterwards nobody can look for a text.
package struct CopySearch {
  /// So many bytes of databases are searched, unpacked ones too: about 10 s. What is beyond may hold it.
  private static let maximumBytes: Int64 = 2 << 30

  private let directory: String
  private let progress: (_ done: Int, _ total: Int) throws(MemoryError) -> Void

  /// - Parameter directory: The folder of backups.
  /// - Parameter progress: Called before each copy; an error that it throws ends the search.
  package init(
    in directory: String, progress: @escaping (_ done: Int, _ total: Int) throws(MemoryError) -> Void
  ) {
    self.directory = directory
    self.progress = progress
  }

  /// The names of the copies in a folder: databases, plain and compressed; sorted. None if there is no such folder.
  package static func names(in directory: String) throws(MemoryError) -> [String] {
    do throws(FileError) {
      let names = try PrivateDirectory<FileError>(at: directory)?.names() ?? []
      return names.filter { name in
        name.hasSuffix(".sqlite")
          || name.contains(".sqlite.") && !name.hasSuffix("-wal") && !name.hasSuffix("-shm")
      }.sorted()
    } catch {
      throw MemoryError(.unavailable, error.message, cause: error)
    }
  }

  /// The copies that have what a request selects, or that cannot be searched.
  package func copies(matching request: ErasureRequest) throws(MemoryError) -> [ErasedCopy] {
    var copies: [ErasedCopy] = []
    var bytesLeft = Self.maximumBytes
    let names = try Self.names(in: directory)
    // Their names have the time: the newest first.
    for (number, name) in names.reversed().enumerated() {
      try progress(number, names.count)
      guard let found = search("\(directory)/\(name)", for: request, within: &bytesLeft) else {
        copies.append(ErasedCopy(name: name, found: []))
        continue
      }
      if !found.isEmpty { copies.append(ErasedCopy(name: name, found: found)) }
    }
    return copies.sorted { $0.name < $1.name }
  }

  /// - Returns: `nil` if it cannot be told.
  private func search(
    _ path: String, for request: ErasureRequest, within bytesLeft: inout Int64
  ) -> Set<ErasedName>? {
    // What cannot be read or unpacked may hold it, whatever the reason.
    if path.hasSuffix(".sqlite") {
      // Nobody but SQLite opens it: a process may have it open as the store that it was before a restore (I5).
      guard let status = try? FileStatus(of: path, followingLinks: true), status.size <= bytesLeft,
        let log = try? FileStatus(of: path + "-wal")?.size ?? 0, log == 0
      else { return nil }
      bytesLeft -= status.size
      if let found = Self.search(path, for: request) { return found }
    }
    // Compressed, or of an earlier schema: searched in a draft.
    guard let file = try? BackupFile(path), file.backup.manifest.map({ $0.bytes <= bytesLeft }) ?? true,
      let draft = try? DraftFile(of: "\(directory)/searched-\(UUID().uuidString).sqlite")
    else { return nil }
    defer { draft.discard() }
    do {
      try FileSystemSpace.require(
        file.backup.manifest?.bytes ?? 4 * file.backup.fileBytes, in: directory, for: "search", path)
      let most = bytesLeft
      var unpacked: Int64 = 0
      defer { bytesLeft -= unpacked }
      try file.unpack(into: draft) { done, _ in
        unpacked = Int64(done)
        if unpacked > most { throw CancellationError() }
      }
      if let found = Self.search(draft.path, for: request) { return found }
      try DatabaseDraft(draft, from: path, Schema.configuration).prepare { _ in }
    } catch {
      return nil
    }
    return Self.search(draft.path, for: request)
  }

  private static func search(_ path: String, for request: ErasureRequest) -> Set<ErasedName>? {
    ErasureReplay.read(path) { db in
      let search = ErasureSearch(request, db)
      let rows = try search.run()
      return try Set(
        rows.episodes.values.map { ErasedName(.episode, $0) } + rows.patterns.values.map { ErasedName(.pattern, $0.id) }
          + rows.idempotencyKeys.map { ErasedName(.idempotencyKey, $0.name) } + rows.orphanNames(db))
    }
  }
}
