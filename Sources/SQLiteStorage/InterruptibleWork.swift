package import GRDB
import GRDBSQLite

extension Database {
  /// Runs `body`, and ends the statement that it is in when `goOn` throws: that of a long check, which has no steps of its own.
  ///
  /// - Parameter goOn: Called while statements run, every 20 ms at most.
  /// - Throws: What `goOn` or `body` throws.
  package func interruptible<Value>(by goOn: @escaping () throws -> Void, _ body: () throws -> Value) throws -> Value {
    let inquiry = Inquiry(goOn)
    // Instructions of SQLite's virtual machine: some hundredths of a millisecond.
    let interval: CInt = 1000
    return try withExtendedLifetime(inquiry) {
      sqlite3_progress_handler(
        sqliteConnection, interval,
        { context in
          guard let context else { return 0 }
          return Unmanaged<Inquiry>.fromOpaque(context).takeUnretainedValue().isRefused() ? 1 : 0
        }, Unmanaged.passUnretained(inquiry).toOpaque())
      defer { sqlite3_progress_handler(sqliteConnection, 0, nil, nil) }
      do {
        return try body()
      } catch {
        throw inquiry.refusal ?? error
      }
    }
  }
}

/// Asks now and then whether to go on. Used on the thread of one connection.
private final class Inquiry {
  private let goOn: () throws -> Void
  private var last: ContinuousClock.Instant?
  private(set) var refusal: (any Error)?

  init(_ goOn: @escaping () throws -> Void) { self.goOn = goOn }

  func isRefused() -> Bool {
    let now = ContinuousClock.now
    if let last, now - last < .milliseconds(20) { return refusal != nil }
    last = now
    do { try goOn() } catch { refusal = error }
    return refusal != nil
  }
}
