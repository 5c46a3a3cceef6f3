import CRawSQLite
import Episodic

/// The yardstick: a ledger created by the library and used through SQLite's C interface.
final class RawLedger {
  private let ledger: OpaquePointer

  /// Opens the `ledger.sqlite` of a folder.
  init(in folder: String, survivesPowerLoss: Bool) throws {
    var opened: OpaquePointer?
    let code = raw_ledger_open(folder + "/" + Ledger.fileName, survivesPowerLoss ? 1 : 0, &opened)
    guard code == 0, let opened else {
      defer { raw_ledger_close(opened) }
      throw BenchError("raw SQLite cannot open the ledger in \(folder): \(String(cString: raw_ledger_message(opened)))")
    }
    ledger = opened
  }

  deinit { raw_ledger_close(ledger) }

  /// - Returns: False if there was no task.
  func claim(at now: Int64, lease: Int64, worker: String) throws -> Bool {
    var seq: Int64 = 0
    try check(raw_ledger_claim(ledger, now, lease, worker, &seq))
    return seq != 0
  }

  /// Appends a tool call that succeeded.
  func append(
    id: String, to run: String, position: Int64, tool: String, arguments: String, result: String, at now: Int64
  ) throws {
    let code = id.withCString { id in
      tool.withCString { tool in
        arguments.withCString { arguments in
          result.withCString { result in
            var call = raw_tool_call(
              id: id, tool: tool, arguments: arguments, result: result, position: position,
              duration_ms: position % 5000,
              created_at: now)
            return raw_ledger_append(ledger, run, &call, 1)
          }
        }
      }
    }
    try check(code)
  }

  func check(_ code: Int32) throws {
    guard code == 0 else { throw BenchError("raw SQLite: \(String(cString: raw_ledger_message(ledger)))") }
  }
}
