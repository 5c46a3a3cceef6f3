package import GRDB
import Synchronization

/// What a call of the writer does. Neighbours in the queue with the same work are performed together.
protocol CommitWork: AnyObject, Sendable {
  /// Does the work of some calls, in order.
  ///
  /// - Returns: What resumes the callers, to be called after the commit.
  func perform(_ calls: [UInt64], _ db: Database) throws -> [@Sendable () -> Void]

  /// Resumes the caller with an error.
  func fail(_ call: UInt64, _ error: any Error)
}

/// One call with a transaction body of its own.
final class SingleWrite<Value: Sendable>: CommitWork {
  private let body: @Sendable (Database) throws -> Value
  private let continuation: CheckedContinuation<Value, any Error>

  init(_ body: @escaping @Sendable (Database) throws -> Value, _ continuation: CheckedContinuation<Value, any Error>) {
    self.body = body
    self.continuation = continuation
  }

  func perform(_ calls: [UInt64], _ db: Database) throws -> [@Sendable () -> Void] {
    let value = try body(db)
    return [{ [continuation] in continuation.resume(returning: value) }]
  }

  func fail(_ call: UInt64, _ error: any Error) { continuation.resume(throwing: error) }
}

/// Requests of one kind, which are performed together when they follow one another in a commit.
///
/// For work that costs less in one piece, such as inserts into a table with full text.
package final class BatchedWrite<Request: Sendable, Value: Sendable>: CommitWork {
  private struct Pending: Sendable {
    let request: Request
    let continuation: CheckedContinuation<Value, any Error>
  }

  /// A caller without a result would never be resumed.
  struct MiscountedResults: Error {
    let requests: Int, results: Int
  }

  private let body: @Sendable ([Request], Database) throws -> [Result<Value, any Error>]
  /// By the number of the call.
  private let pending = Mutex<[UInt64: Pending]>([:])

  /// - Parameter body: Returns a result for each request, in order. A request that is refused must have written
  ///   nothing; an error that is thrown undoes all of them. May run twice with the same requests.
  package init(_ body: @escaping @Sendable ([Request], Database) throws -> [Result<Value, any Error>]) {
    self.body = body
  }

  func add(_ request: Request, _ call: UInt64, _ continuation: CheckedContinuation<Value, any Error>) {
    pending.withLock { $0[call] = Pending(request: request, continuation: continuation) }
  }

  func perform(_ calls: [UInt64], _ db: Database) throws -> [@Sendable () -> Void] {
    let requests = pending.withLock { pending in calls.compactMap { pending[$0]?.request } }
    let results = try body(requests, db)
    guard results.count == calls.count else {
      throw MiscountedResults(requests: calls.count, results: results.count)
    }
    return zip(calls, results).map { call, result in { self.finish(call, result) } }
  }

  func fail(_ call: UInt64, _ error: any Error) { finish(call, .failure(error)) }

  private func finish(_ call: UInt64, _ result: Result<Value, any Error>) {
    pending.withLock { $0.removeValue(forKey: call) }?.continuation.resume(with: result)
  }
}
