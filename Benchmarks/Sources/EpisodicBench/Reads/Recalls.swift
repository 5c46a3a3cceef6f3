import CRawSQLite
import Episodic

/// Questions by words, new to the cache, known to it, and past it.
struct Recalls {
  private static let repetitions = 10

  private(set) var cold = Series(
    "new question", "memory.recall of three words in one domain, not in the cache: searched, ranked, filled in")
  private(set) var warm = Series("known question", "the same again: from the cache, with the ten episodes of its hits")
  private(set) var primary = Series("question, no cache", "the same with the cache switched off")

  /// Asks once past the cache, once while it is new, and then again and again; the answers must be the same.
  mutating func ask(_ query: Query, _ stores: ReadStores, hasCache: Bool) async throws {
    let truth = try await Self.time(query, stores.uncached, &primary)
    guard hasCache else { return }
    guard try await Self.time(query, stores.cached, &cold) == truth else { throw Self.disagreement(query) }
    for _ in 0..<Self.repetitions {
      guard try await Self.time(query, stores.cached, &warm) == truth else { throw Self.disagreement(query) }
    }
  }

  func rows(section: String) -> [Row] {
    [warm, cold, primary].filter { $0.calls > 0 }.map { Row($0, section: section) }
  }

  private static func time(_ query: Query, _ memory: Memory, _ series: inout Series) async throws -> [Hit] {
    let start = raw_now()
    let hits = try await memory.recall(query)
    series.record(since: start)
    return hits
  }

  private static func disagreement(_ query: Query) -> BenchError {
    BenchError("the cache and the primary answer \"\(query.text ?? "")\" differently")
  }
}
