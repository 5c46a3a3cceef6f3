import Episodic
import Foundation
import TestSupport
import Testing

@Suite struct `Death during an erasure` {
  static let kills = ProcessInfo.processInfo.environment["EPISODIC_KILLS"].flatMap { Int($0) } ?? 12

  @Test func `leaves all or nothing, and the next maintenance removes every trace`() async throws {
    let store = try Store()
    let bytes = ErasedBytes(directory: store.directory)
    var generator = SeededGenerator(seed: 12)
    for round in 0..<Self.kills {
      let secret = "the secret of round \(round)"
      try await store.withMemory { memory in
        try await memory.insert(
          (0..<30).map { number in
            .sample(
              Episode.ID("r\(round)-\(number)"),
              context: number.isMultiple(of: 3) ? "it is \(secret)" : "round \(round)",
              steps: ["do", number.isMultiple(of: 2) ? "say \(secret)" : "say nothing"])
          })
        _ = try await memory.recall(Query(text: secret, scope: .everything))
      }
      let child = try Child("StoreWorker", ["forget", store.path, secret], in: store.directory)
      try await child.waitForLines(1)
      usleep(UInt32.random(in: 0...150_000, using: &generator))
      child.kill()
      let isDone = try child.lines.contains("done true")
      try await store.withMemory { memory in
        let count = try await memory.episodes(.init(), in: .everything, limit: 1000).elements.count {
          $0.id.rawValue.hasPrefix("r\(round)-")
        }
        // 20 of 30 have it.
        #expect(count == 30 || count == 10, "\(count) of round \(round) are left")
        if isDone { #expect(count == 10) }
        for receipt in try await memory.resumeErasures() { #expect(receipt.cleanedAt != nil && receipt.pending == nil) }
        if count == 30 { try await memory.forget(.text(secret), in: .everything) }
        #expect(try await memory.receipts().count == round + 1)
      }
      #expect(try bytes.files(under: store.path, with: [secret]) == [])
    }
    try await Store.expectSoundness(of: store.path)
  }
}
