import Episodic
import TestSupport
import Testing

/// Repeated attempts at a task have the same words, and often the same vector.
@Suite struct `Equal scores` {
  private static let attempts = 240

  @Test(arguments: [true, false]) func `return the newest attempts, by words, by vector, and by both`(isExact: Bool)
    async throws
  {
    let store = try Store()
    try await store.withMemory { memory in
      let ids = (0..<Self.attempts).map { Episode.ID("try\($0)") }
      for batch in stride(from: 0, to: Self.attempts, by: 60) {
        let part = ids[batch..<batch + 60]
        try await memory.insert(
          part.map { .sample($0, context: "deploy the api", steps: ["deploy"]) },
          embeddings: part.map { .init(of: $0, content: "deploy the api", vector: [1, 2, 3], model: "m") })
      }
      let newest = Array(ids.reversed().prefix(10))
      for (text, vector) in [("deploy the api", nil), ("deploy", nil), (nil, [3, 2, 1]), ("api", [1, 2, 3])]
        as [(String?, [Float]?)]
      {
        var query = Query(text: text, vector: vector, scope: .everything, limit: 10)
        query.isExact = isExact
        #expect(try await memory.recall(query).map(\.episode.id) == newest, "\(text ?? "") \(vector ?? [])")
      }
      let phrase = Query(phrases: ["the api"], scope: .everything, limit: 10, isExact: isExact)
      #expect(try await memory.recall(phrase).map(\.episode.id) == newest)
    }
  }
}
