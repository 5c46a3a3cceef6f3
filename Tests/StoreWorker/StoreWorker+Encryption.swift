import Episodic
import Foundation

extension StoreWorker {
  /// Encrypts a domain, and rotates its key until it is killed.
  static func seal(_ memory: Memory, domain: String) async throws {
    acknowledge("begun")
    _ = try await memory.encrypt(domain: domain)
    acknowledge("encrypted")
    while true {
      let report = try await memory.rotateKey(of: domain)
      acknowledge("version \(report.key.version)")
    }
  }

  /// Records into the domain `d` until it is killed, and reads back what it has written.
  static func writeSealed(_ memory: Memory, name: String) async throws {
    acknowledge("begun")
    for round in 0... {
      let id = Episode.ID("\(name)-\(round)")
      _ = try await memory.begin(.init(.testing, domain: "d", context: "context \(id)", id: id))
      acknowledge("\(id) 0")
      for number in 1...5 {
        try await memory.append(.init("step \(number) of \(id)", result: "fine"), to: id)
        acknowledge("\(id) \(number)")
      }
      let read = try await memory.episode(id)
      guard read?.context == "context \(id)", read?.steps.map(\.action) == (1...5).map({ "step \($0) of \(id)" }) else {
        throw Failure("\(id) is not read as it was written")
      }
      if round.isMultiple(of: 3) {
        guard
          try await memory.recall(Query(text: "\(id)", scope: .domain("d"), filter: .init(statuses: [.active]))).count
            > 0
        else { throw Failure("\(id) is not recalled") }
      }
    }
  }

  /// Records into a domain, and reads again what it has read before, until a write and then a read is refused.
  static func write(_ memory: Memory, into domain: String) async throws {
    for round in 0... {
      let id = Episode.ID("written-\(round)")
      do throws(MemoryError) {
        _ = try await memory.begin(.init(.testing, domain: domain, context: "context \(id)", id: id))
        acknowledge("\(id) 0")
        try await memory.append(.init("step of \(id)", result: "fine"), to: id)
        acknowledge("\(id) 1")
      } catch {
        acknowledge("refused \(error.code.rawValue)")
        break
      }
      // Of its cache, or of the primary.
      guard try await memory.episode("kept")?.context == "context kept" else { throw Failure("kept is not read") }
    }
    // The domain refuses writes before its rows are encrypted, and an episode is read as it is until its own are.
    do throws(MemoryError) {
      while try await memory.episode("kept")?.context == "context kept" {}
      acknowledge("read wrongly")
    } catch {
      acknowledge("unread \(error.code.rawValue)")
    }
    try await memory.close()
  }
}
