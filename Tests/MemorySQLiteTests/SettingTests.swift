import EpisodicMemory
import TestSupport
import Testing

@testable import MemorySQLite

@Suite struct `A setting of the store` {
  @Test func `is read as it was set, by every process, until it is removed`() async throws {
    let store = try TestStore()
    let (one, other) = (try await store.open(), try await store.open())
    #expect(try await one.setting("colour") == nil)
    try await one.set("colour", to: ["blue": 1], at: Timestamp(milliseconds: 1))
    #expect(try await other.setting("colour") == ["blue": 1])
    try await other.set("colour", to: ["red": 2], at: Timestamp(milliseconds: 2))
    #expect(try await one.setting("colour") == ["red": 2])
    try await one.set("colour", to: nil, at: Timestamp(milliseconds: 3))
    #expect(try await other.setting("colour") == nil)
    try await one.close()
    try await other.close()
  }
}
