import ArgumentParser
import Episodic
import Foundation

/// Which store a command works on.
struct StoreOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Directory of the store.", valueName: "dir"))
  var store: String?

  @Option(
    help: ArgumentHelp("How long to wait for another process that keeps the store locked.", valueName: "seconds"))
  var busyTimeout: Double = 30

  var path: String {
    if let store { return store }
    if let variable = getenv("EPISODIC_STORE"), variable[0] != 0 { return String(cString: variable) }
    return "./.episodic"
  }

  func validate() throws {
    guard (0...1e9).contains(busyTimeout) else {
      throw ValidationError("--busy-timeout \(busyTimeout) is no number of seconds from 0 on; give one")
    }
    if let store { return try NonUTF8Arguments.refuse(store, as: "--store") }
    if let variable = getenv("EPISODIC_STORE"), String(validatingCString: variable) == nil {
      throw ValidationError("EPISODIC_STORE is \(path), which is not UTF-8; rename the directory, or link to it")
    }
  }

  /// Whether there is a store, usable or not.
  var exists: Bool { access(path + "/memory.sqlite", F_OK) == 0 }

  /// Opens the store, lends it, and closes it, whatever comes of it.
  ///
  /// - Parameter creating: Whether to make a store where there is none.
  /// - Parameter printing: Whether the answer goes to standard output, which is refused at once if that is closed.
  func withMemory<Value>(
    creating: Bool = false, printing: Bool = true, _ body: (Memory) async throws -> Value
  ) async throws -> Value {
    if printing { try StandardOutput.requireOpen() }
    let memory = try await open(creating: creating)
    let value: Value
    do {
      value = try await body(memory)
    } catch {
      await close(memory)
      throw error
    }
    await close(memory)
    return value
  }

  private func open(creating: Bool) async throws -> Memory {
    guard !path.isEmpty else { throw ValidationError("the store's directory is empty; name one with --store") }
    var options = Memory.OpenOptions()
    options.create = creating
    options.busyTimeout = .seconds(busyTimeout)
    return try await Memory.open(at: path, options: options)
  }

  /// What was acknowledged is safe whether or not closing succeeds, so a failure is told and changes nothing.
  private func close(_ memory: Memory) async {
    do throws(MemoryError) {
      try await memory.close()
    } catch {
      StandardError.write("episodic: closing \(path): \(error.message)".onOneLine)
    }
  }
}
