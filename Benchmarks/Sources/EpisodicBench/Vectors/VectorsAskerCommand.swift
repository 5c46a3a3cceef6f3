import ArgumentParser
import CRawSQLite
import Episodic

/// Another process with the same store: answers the first query at once and then the query of each line of its input.
///
/// A line of its output: nanoseconds since the process began, since it opened the store and of the search alone, then
/// the ids, best first. The line `end` ends it.
struct VectorsAskerCommand: AsyncParsableCommand {
  static let name = "vectors-asker"
  static let end = "end"
  static let configuration = CommandConfiguration(
    commandName: name, abstract: "A process of bench vectors.", shouldDisplay: false)

  @Option var store: String
  @Option var queries: String
  @Option var dimensions: Int

  @concurrent
  func run() async throws {
    let queries = try FloatRows(path: queries, dimensions: dimensions)
    let opening = raw_now()
    let memory = try await Memory.open(at: store, options: VectorStore.options)
    try await answer(queries[0], memory, opening)
    while let line = readLine(), line != Self.end {
      guard let row = Int(line), (0..<queries.count).contains(row) else { throw BenchError("\(line) is no query") }
      try await answer(queries[row], memory, opening)
    }
    try await memory.close()
  }

  private func answer(_ vector: [Float], _ memory: Memory, _ opening: UInt64) async throws {
    let space = EmbeddingSpace(model: VectorPopulation.model, dimensions: dimensions)
    let start = raw_now()
    let hits = try await memory.search(Query(vector: vector, space: space, scope: .everything))
    let now = raw_now()
    let ids = hits.map(\.id.rawValue).joined(separator: " ")
    StandardOutput.write("\(ProcessClock.elapsed) \(now - opening) \(now - start) \(ids)")
  }
}
