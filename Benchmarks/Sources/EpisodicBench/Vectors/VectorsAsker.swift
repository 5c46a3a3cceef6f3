import ArgumentParser
import CRawSQLite
import Episodic

/// The parent's side of a process of `VectorsAskerCommand`.
final class VectorsAsker {
  struct Answer {
    /// Since the process began.
    let sinceMain: UInt64
    /// Since it opened the store.
    let sinceOpen: UInt64
    let searching: UInt64
    let ids: [String]
  }

  /// Of the query that it runs at its start.
  let first: Answer
  /// From before the spawn to the first answer.
  let sinceSpawn: UInt64
  private let process: WorkerProcess

  init(store: String, queries: String, dimensions: Int) throws {
    let start = raw_now()
    process = try WorkerProcess([
      VectorsAskerCommand.name, "--store", store, "--queries", queries, "--dimensions", "\(dimensions)",
    ])
    first = try Self.answer(try process.readLine())
    sinceSpawn = raw_now() - start
  }

  deinit { process.kill() }

  /// Makes it close its store and exit.
  func end() throws {
    guard process.send(VectorsAskerCommand.end), process.wait() == 0 else {
      throw BenchError("the querying process did not exit with 0")
    }
  }

  func ask(_ query: Int) throws -> Answer { try Self.answer(try process.ask("\(query)")) }

  private static func answer(_ line: String?) throws -> Answer {
    let words = line?.split(separator: " ") ?? []
    let times = words.prefix(3).compactMap { UInt64($0) }
    guard times.count == 3 else { throw BenchError("the querying process ended; its error is above") }
    return Answer(
      sinceMain: times[0], sinceOpen: times[1], searching: times[2], ids: words.dropFirst(3).map(String.init))
  }
}

/// A second process on the store: runs the first query at once, and then the query of each line of its input.
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
