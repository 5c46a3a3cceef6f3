import FileLocks
import EpisodicMemory
import Foundation
import LMDB
import TestSupport
import Testing

@testable import MemoryLMDB

@Suite struct `A data file that rotted while it was closed` {
  private static let pages = 0..<24

  /// Modification times can be set, and are by programs that restore files; a disk that returns other bytes changes none.
  @Test(arguments: [0, 0xFF] as [UInt8]) func `under its old modification time ends no process`(_ byte: UInt8) throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    for number in 0..<300 { cache.fill(.sample("\(number)", steps: 3), asOf: 10) }
    cache.close()
    let whole = try Data(contentsOf: URL(filePath: store.dataFile))
    #expect(whole.count > 24 * 4096)
    for page in Self.pages {
      var before = stat()
      try #require(stat(store.dataFile, &before) == 0)
      let file = try FileHandle(forWritingTo: URL(filePath: store.dataFile))
      try file.seek(toOffset: UInt64(page * 4096))
      try file.write(contentsOf: Data(repeating: byte, count: 4096))
      try file.close()
      let times = [before.st_mtim, before.st_mtim]
      try #require(utimensat(AT_FDCWD, store.dataFile, times, 0) == 0)
      let opened = try store.open()
      for number in 0..<300 {
        let found = opened.episode(Episode.ID("\(number)"))
        #expect(found == nil || found == .sample("\(number)", steps: 3))
      }
      if opened.watermark() == nil { #expect(opened.begin(at: 10)) }
      opened.fill(.sample("new \(page)"), asOf: 10)
      opened.close()
    }
  }

  #if os(Linux)
    @Test func `is not taken for one that stayed in memory`() throws {
      let store = try ScratchStore()
      let cache = try store.begun()
      for number in 0..<300 { cache.fill(.sample("\(number)", steps: 3), asOf: 10) }
      cache.close()
      let place = try #require(try PrivateDirectory<LMDBError>(at: store.directory))
      let file = try #require(try place.openFile("data.mdb"))
      try #expect(file.isInMemory())
      fsync(file.descriptor)
      posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_DONTNEED)
      // A file system in memory keeps it.
      if try file.isInMemory() { return }
      #expect(try !store.open().tier.isTrusted)
    }

    @Test func `is verified by the first process that opens it, and read for those that follow`() throws {
      let store = try ScratchStore()
      let cache = try store.begun()
      for number in 0..<3_000 { cache.fill(.sample("\(number)", steps: 20), asOf: 10) }
      cache.close()
      let place = try #require(try PrivateDirectory<LMDBError>(at: store.directory))
      let file = try #require(try place.openFile("data.mdb"))
      // More than the kernel reads ahead by itself.
      try #expect(file.status().size > 4 << 20)
      fsync(file.descriptor)
      posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_DONTNEED)
      // A file system in memory keeps it.
      if try file.isInMemory() { return }
      let first = try store.open()
      #expect(!first.tier.isTrusted)
      first.close()
      let deadline = ContinuousClock.now + .seconds(60)
      while try !file.isInMemory(), ContinuousClock.now < deadline { usleep(10_000) }
      let second = try store.open()
      #expect(second.tier.isTrusted)
      second.close()
    }
  #endif
}
