import Episodic
import Foundation
import GRDB
import TestSupport
import Testing

/// What the DocC page Operating says of backups.
@Suite struct `Backups as the documentation says` {
  @Test func `a copy by VACUUM INTO of a store in use is a whole store`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert([.sample("before")])
    let copy = try Store()
    try FileManager.default.createDirectory(atPath: copy.path, withIntermediateDirectories: true)
    var configuration = Configuration()
    configuration.readonly = true
    let reader = try DatabaseQueue(path: store.path + "/memory.sqlite", configuration: configuration)
    try await reader.writeWithoutTransaction { db in
      try db.execute(sql: "VACUUM INTO ?", arguments: [copy.path + "/memory.sqlite"])
    }
    try await memory.insert([.sample("after")])

    let restored = try await copy.open()
    #expect(try await restored.episode("before")?.steps.count == memory.episode("before")?.steps.count)
    #expect(try await restored.episode("after") == nil)
    for check in try await restored.check() { #expect(check.outcome == .passed, "\(check.name)") }
    try await restored.close()
    try await memory.close()
  }

  @Test func `after the last close memory.sqlite alone is a whole store`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert([.sample("e")])
    try await memory.close()
    let copy = try Store()
    try FileManager.default.createDirectory(atPath: copy.path, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: store.path + "/memory.sqlite", toPath: copy.path + "/memory.sqlite")
    let restored = try await copy.open()
    #expect(try await restored.episode("e") != nil)
    for check in try await restored.check() { #expect(check.outcome == .passed, "\(check.name)") }
    try await restored.close()
  }
}
