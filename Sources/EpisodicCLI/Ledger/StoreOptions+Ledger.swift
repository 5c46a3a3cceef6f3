import ArgumentParser
import Episodic
import Foundation

extension StoreOptions {
  /// Whether there is a ledger, usable or not.
  var hasLedger: Bool { access(path + "/" + Ledger.fileName, F_OK) == 0 }

  /// Opens the ledger of the store, calls `body` with it, and closes it, also after an error.
  ///
  /// - Parameter creating: Whether to create a missing ledger.
  /// - Parameter printing: Whether the result goes to standard output; if that is closed, this fails before opening.
  func withLedger<Value>(
    creating: Bool = false, printing: Bool = true, _ body: (Ledger) async throws -> Value
  ) async throws -> Value {
    if printing { try StandardOutput.requireOpen() }
    guard !path.isEmpty else { throw ValidationError("the store's directory is empty; name one with --store") }
    var options = Ledger.OpenOptions()
    options.create = creating
    options.busyTimeout = .seconds(busyTimeout)
    let ledger = try await Ledger.open(at: path, options: options)
    let value: Value
    do {
      value = try await body(ledger)
    } catch {
      await close(ledger)
      throw error
    }
    await close(ledger)
    return value
  }

  /// Acknowledged writes are durable even if closing fails, so a failure is reported and does not change the exit code.
  private func close(_ ledger: Ledger) async {
    do throws(MemoryError) {
      try await ledger.close()
    } catch {
      StandardError.write("episodic: closing the ledger of \(path): \(error.message)".onOneLine)
    }
  }
}

extension JSON {
  /// A value of the ledger, in the form of its documentation.
  init(ledger value: some Encodable) throws {
    let text = String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
    self = try JSON(text: text)
  }
}
