import Episodic
import Foundation
import TestSupport
import Testing

#if Encryption
  @Suite struct `A process that has a store open while another encrypts a domain` {
    /// Starts one that writes into the domain `d`, and encrypts the domain when it has written for a while.
    ///
    /// - Returns: The process, and the lines that it had printed when the domain was encrypted.
    private static func encrypt(_ store: EncryptedStore, hasKey: Bool) async throws -> (Child, lines: Int) {
      try await store.with { memory async throws in
        try await memory.insert([.sample("kept", domain: "d", context: "context kept", steps: ["step of kept"])])
        for number in 0..<30 { try await memory.insert([.sample(Episode.ID("other-\(number)"), domain: "d")]) }
      }
      var environment = ProcessInfo.processInfo.environment
      environment["EPISODIC_KEY"] = hasKey ? store.key.hexadecimal : nil
      let writer = try Child(
        running: Child.products.appending(path: "StoreWorker").path(percentEncoded: false),
        ["write-into", store.path, "d"], environment: environment, in: store.directory)
      try await writer.waitForLines(9)
      let lines = try await store.with { memory async throws in
        try await memory.encrypt(domain: "d")
        return try writer.lines.count
      }
      return (writer, lines)
    }

    private static func expectNothingPlain(in store: EncryptedStore, _ written: [String]) throws {
      for table in ["episodes", "steps"] {
        #expect(try store.value("SELECT count(*) FROM \(table) WHERE sealed IS NULL") == "0", "\(table)")
      }
      let texts = ["context kept", "step of kept"] + written.flatMap { ["context \($0)", "step of \($0)"] }
      #expect(try ErasedBytes(directory: store.directory).files(under: store.path, with: texts) == [])
    }

    /// Episodes that it was told are written, with their steps.
    private static func expectAcknowledged(_ lines: [String], in store: EncryptedStore) async throws -> [String] {
      let acknowledged = lines.filter { $0.hasPrefix("written-") }.map { $0.split(separator: " ").map(String.init) }
      try await store.with { memory async throws in
        for line in acknowledged {
          let id = line[0]
          let episode = try #require(try await memory.episode(Episode.ID(id)), "\(id) is lost")
          #expect(episode.context == "context \(id)")
          if line[1] == "1" { #expect(episode.steps.map(\.action) == ["step of \(id)"]) }
        }
        #expect(try await memory.check().allSatisfy { $0.outcome == .passed })
      }
      return Array(Set(acknowledged.map { $0[0] }))
    }

    @Test func `writes encrypted from then on if it has the key, and loses nothing`() async throws {
      let store = try EncryptedStore()
      let (writer, lines) = try await Self.encrypt(store, hasKey: true)
      try await writer.waitForLines(lines + 20)
      #expect(!writer.isOver)
      writer.kill()
      let written = try await Self.expectAcknowledged(try writer.lines, in: store)
      #expect(written.count > 9)
      try Self.expectNothingPlain(in: store, written)
    }

    @Test func `is refused if it has no key, and reads nothing from its cache any more`() async throws {
      let store = try EncryptedStore()
      let (writer, _) = try await Self.encrypt(store, hasKey: false)
      let status = writer.wait()
      let (lines, errors) = (try writer.lines, try writer.standardError)
      #expect(status == 0, "\(errors)")
      #expect(lines.suffix(2) == ["refused key_missing", "unread key_missing"], "\(lines.suffix(2))")
      let written = try await Self.expectAcknowledged(lines, in: store)
      try Self.expectNothingPlain(in: store, written)
    }
  }
#endif
