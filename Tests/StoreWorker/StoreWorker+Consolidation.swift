import Episodic
import Foundation

extension StoreWorker {
  /// Logs runs, ends and consolidates them, until it is killed. A line says that a run has ended.
  static func consolidate(in directory: String, name: String) async throws {
    var options = AgentStore.OpenOptions()
    options.consolidatesByItself = false
    options.memory.cache.isEnabled = false
    options.memory.index.isEnabled = false
    options.memory.durability = .normal
    let store = try await AgentStore.open(at: directory, options: options)
    for round in 0... {
      var draft = Ledger.Run.Draft(.testing, domain: "crash", context: "run \(name) \(round)")
      draft.id = Ledger.Run.ID("\(name)-\(round)")
      draft.status = .executing
      let run = try await store.ledger.start(draft)
      let entries = (0..<round % 5).map { Ledger.Prompt.Draft("prompt \(name) \(round) \($0)", response: "response") }
      try await store.ledger.add(entries, to: run.id)
      try await store.ledger.finish(run: run.id, as: round.isMultiple(of: 3) ? .failed : .completed)
      acknowledge("ended \(run.id) \(entries.count)")
      if round.isMultiple(of: 2) {
        try await store.consolidate()
        acknowledge("consolidated")
      }
    }
  }
}
