import Episodic
import Foundation
import TestSupport
import Testing

/// What the DocC page Operating says of archives.
@Suite struct `Archives as the documentation says` {
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
