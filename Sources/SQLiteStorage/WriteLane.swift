public import GRDB

/// Requests of one kind, which are performed together where they follow one another in a commit.
///
/// For work that is cheaper by the dozen, such as inserts into a table with full text.
public final class WriteLane<Request: Sendable, Value: Sendable>: Sendable {
  struct Entry: Sendable {
    let request: Request
    let continuation: CheckedContinuation<Value, any Error>

    init(_ request: Request, _ continuation: CheckedContinuation<Value, any Error>) {
      self.request = request
      self.continuation = continuation
    }
  }

  /// A caller without a result would wait for ever.
  struct MiscountedResults: Error {
    let requests: Int, results: Int
  }

  private let body: @Sendable ([Request], Database) throws -> [Result<Value, any Error>]

  /// - Parameter body: Returns a result for each request, in order. A request that is refused must have written
  ///   nothing; an error that is thrown undoes all of them. May run twice with the same requests.
  public init(_ body: @escaping @Sendable ([Request], Database) throws -> [Result<Value, any Error>]) {
    self.body = body
  }

  /// - Parameter requests: Entries of this lane: nothing else is submitted under its identity.
  func perform(_ requests: [any Sendable], _ db: Database) throws -> [@Sendable () -> Void] {
    let entries = requests.compactMap { $0 as? Entry }
    let results = try body(entries.map(\.request), db)
    guard results.count == requests.count else {
      throw MiscountedResults(requests: requests.count, results: results.count)
    }
    return zip(entries, results).map { entry, result in { entry.continuation.resume(with: result) } }
  }
}
