public import ArgumentParser
public import Episodic
import Foundation

/// Which store a command works on.
struct StoreOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Directory of the store.", valueName: "dir"))
  var store: String?

  @Option(
    help: ArgumentHelp("How long to wait for another process that holds a lock of the store.", valueName: "seconds"))
  var busyTimeout: Double = 30

  var path: String {
    if let store { return store }
    if let variable = getenv("EPISODIC_STORE"), variable[0] != 0 { return String(cString: variable) }
    return "./.episodic"
  }

  func validate() throws {
    guard (0...1e9).contains(busyTimeout) else {
      throw ValidationError("--busy-timeout \(busyTimeout) is not a number of seconds from 0 on; give one")
    }
    if let store { return try NonUTF8Arguments.refuse(store, as: "--store") }
    if let variable = getenv("EPISODIC_STORE"), String(validatingCString: variable) == nil {
      throw ValidationError("EPISODIC_STORE is \(path), which is not UTF-8; rename the directory, or link to it")
    }
  }

  /// Whether there is a store, usable or not.
  var exists: Bool { access(path + "/memory.sqlite", F_OK) == 0 }

  /// Opens the store, calls `body` with it, and closes it, also after an error.
  ///
  /// - Parameter creating: Whether to create a missing store.
  /// - Parameter printing: Whether the result goes to standard output; if that is closed, this fails before opening.
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

  /// Acknowledged writes are durable even if closing fails, so a failure is reported and does not change the exit code.
  private func close(_ memory: Memory) async {
    do throws(MemoryError) {
      try await memory.close()
    } catch {
      StandardError.write("episodic: closing \(path): \(error.message)".onOneLine)
    }
  }
}

/// Which episodes to select.
struct FilterOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Only episodes of this session.", valueName: "name"))
  var session: String?

  @Option(help: ArgumentHelp("Only episodes of this task type, such as debugging.", valueName: "type"))
  var taskType: String?

  @Option(
    help: ArgumentHelp(
      "Only episodes of this status; may be repeated.",
      valueName: "status"))
  var status: [Episode.Status] = []

  @Option(
    help: ArgumentHelp(
      "Only episodes created at or after this time, 2026-01-31 or 2026-01-31T12:00:00Z.", valueName: "time"),
    transform: FilterOptions.time)
  var after: Timestamp?

  @Option(
    help: ArgumentHelp("Only episodes created before this time.", valueName: "time"), transform: FilterOptions.time)
  var before: Timestamp?

  var filter: Episode.Filter {
    Episode.Filter(
      session: session, taskType: taskType.map { TaskType($0) }, statuses: status.isEmpty ? nil : Set(status),
      after: after, before: before)
  }

  var isEmpty: Bool { filter == Episode.Filter() }

  /// A time, or a day, which begins at midnight UTC.
  @Sendable private static func time(_ text: String) throws -> Timestamp {
    if let midnight = Timestamp("\(text)T00:00:00Z") { return midnight }
    do throws(Timestamp.ParsingError) {
      return try Timestamp(iso8601: text)
    } catch {
      throw ValidationError("\(error); for a day, 2026-01-31 will do")
    }
  }
}

/// The vectors of queries.
struct VectorOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Vectors of the queries: raw little-endian float32, a row a query.", valueName: "file"))
  var queryVectors: String?

  @Option(
    help: ArgumentHelp(
      "The model that made the vectors; optional if the store has only one.", valueName: "name"))
  var model: String?

  @Option(help: ArgumentHelp("Numbers in a vector.", valueName: "n"))
  var dimensions: Int?

  var source: VectorSource? {
    guard let queryVectors, let dimensions else { return nil }
    return VectorSource(InputFile(argument: queryVectors), model: model, dimensions: dimensions)
  }

  func validate() throws {
    if let queryVectors { try NonUTF8Arguments.refuse(queryVectors, as: "--query-vectors") }
    if queryVectors == nil, model != nil || dimensions != nil {
      throw ValidationError("--model and --dimensions say what --query-vectors are; give it too")
    }
    if queryVectors != nil, dimensions == nil {
      throw ValidationError("--query-vectors needs --dimensions N, the numbers in a vector")
    }
  }
}

/// Refuses paths among the arguments that are not UTF-8: the parser repairs them, and a repaired path names another file.
enum NonUTF8Arguments {
  /// Arguments as the parser returns them, and the values after `--option=`.
  private static let repaired: Set<String> = {
    let all = (1..<max(1, Int(CommandLine.argc))).compactMap { CommandLine.unsafeArgv[$0] }
    let foreign = all.filter { String(validatingCString: $0) == nil }.map { String(cString: $0) }
    return Set(
      foreign + foreign.compactMap { text in text.firstIndex(of: "=").map { String(text[$0...].dropFirst()) } })
  }()

  /// - Throws: If the path was repaired.
  static func refuse(_ path: String, as name: String) throws {
    guard repaired.contains(path) else { return }
    throw ValidationError("\(name) \(path) is not UTF-8; rename the file, link to it, or redirect it")
  }
}

extension Episode.Status: ExpressibleByArgument {}
extension RecallMode: ExpressibleByArgument {}
extension Episode.ExistingPolicy: ExpressibleByArgument {}
