import EpisodicMemory
import Foundation
import TestSupport
import Testing

@testable import MemoryLMDB

@Suite struct `In the directory of a tier` {
  private static let names = ["epoch", "users", "writer", "data.mdb", "lock.mdb", "policy"]

  /// A cloned repository may hold a store with a link in it.
  @Test(arguments: names, [true, false])
  func `a symbolic link never leads to a change elsewhere`(_ name: String, _ isMade: Bool) throws {
    let store = try ScratchStore()
    let victim = store.path + "/victim"
    try "precious".write(toFile: victim, atomically: false, encoding: .utf8)
    if isMade {
      try store.begun().close()
      try FileManager.default.removeItem(atPath: store.directory + "/" + name)
    } else {
      try FileManager.default.createDirectory(atPath: store.directory, withIntermediateDirectories: false)
    }
    try FileManager.default.createSymbolicLink(atPath: store.directory + "/" + name, withDestinationPath: victim)
    let before = try FileManager.default.attributesOfItem(atPath: victim)
    let cache = store.openRecovering()
    // The policy's file holds hints that nobody misses, so a link in its place is removed.
    #expect(cache.isAvailable == (name == "policy" && isMade))
    if !cache.isAvailable {
      #expect(cache.statistics().unavailable?.contains(name) == true)
    }
    cache.close()
    try #expect(String(contentsOfFile: victim, encoding: .utf8) == "precious")
    let after = try FileManager.default.attributesOfItem(atPath: victim)
    #expect(after[.modificationDate] as? Date == before[.modificationDate] as? Date)
    #expect(after[.posixPermissions] as? Int == before[.posixPermissions] as? Int)
  }

  @Test func `a link in place of the directory itself is not followed, by the cache or by the index in it`() throws {
    let store = try ScratchStore()
    let other = store.path + "/other"
    try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(atPath: store.directory, withDestinationPath: other)
    #expect(!store.openRecovering().isAvailable)
    let index = LMDBSearchIndex.open(
      at: store.directory + "/index", store: store.identity, clock: store.clock, logger: store.log.logger)
    #expect(index.statistics().unavailable?.contains("symbolic link") == true)
    try #expect(FileManager.default.contentsOfDirectory(atPath: other) == [])
  }

  @Test(arguments: ["data.mdb", "lock.mdb", "notes.txt"])
  func `files that another program left there are neither read nor removed`(_ name: String) throws {
    let store = try ScratchStore()
    try FileManager.default.createDirectory(atPath: store.directory, withIntermediateDirectories: false)
    try "theirs".write(toFile: store.directory + "/" + name, atomically: false, encoding: .utf8)
    let cache = store.openRecovering()
    #expect(cache.statistics().unavailable?.contains(name) == true)
    try #expect(FileManager.default.contentsOfDirectory(atPath: store.directory) == [name])
    try #expect(String(contentsOfFile: store.directory + "/" + name, encoding: .utf8) == "theirs")
  }

  @Test func `a tier that lost its epoch file is created again`() throws {
    let store = try ScratchStore()
    try store.begun().close()
    try FileManager.default.removeItem(atPath: store.directory + "/epoch")
    let cache = store.openRecovering()
    #expect(cache.isAvailable)
    #expect(cache.watermark() == nil)
  }

  @Test(.enabled(if: Host.isRoot, "only root can make a directory somebody else's"))
  func `of another user nothing is written`() throws {
    let store = try ScratchStore()
    try FileManager.default.createDirectory(atPath: store.directory, withIntermediateDirectories: false)
    try #require(chown(store.directory, 65534, 65534) == 0)
    let cache = store.openRecovering()
    #expect(cache.statistics().unavailable?.contains("belongs to user 65534") == true)
    try #expect(FileManager.default.contentsOfDirectory(atPath: store.directory) == [])
  }
}
