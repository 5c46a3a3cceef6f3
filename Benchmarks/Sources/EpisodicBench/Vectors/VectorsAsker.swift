import CRawSQLite

/// The process that `VectorsAskerCommand` runs, seen from ours.
final class VectorsAsker {
  struct Answer {
    /// Since the process began.
    let sinceMain: UInt64
    /// Since it opened the store.
    let sinceOpen: UInt64
    let searching: UInt64
    let ids: [String]
  }

  /// To the query that it answers unasked.
  let first: Answer
  /// From before the process was started to its first answer.
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

  /// Has it close its store.
  func end() throws {
    guard process.send(VectorsAskerCommand.end), process.wait() == 0 else {
      throw BenchError("the process that asks beside ours did not end well")
    }
  }

  func ask(_ query: Int) throws -> Answer { try Self.answer(try process.ask("\(query)")) }

  private static func answer(_ line: String?) throws -> Answer {
    let words = line?.split(separator: " ") ?? []
    let times = words.prefix(3).compactMap { UInt64($0) }
    guard times.count == 3 else { throw BenchError("the process that asks beside ours ended; it said why above") }
    return Answer(
      sinceMain: times[0], sinceOpen: times[1], searching: times[2], ids: words.dropFirst(3).map(String.init))
  }
}
