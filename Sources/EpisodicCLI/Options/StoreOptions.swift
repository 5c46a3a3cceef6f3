import ArgumentParser
import Episodic
import Foundation
import Logging
import Synchronization

/// Which store a command works on.
struct StoreOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Directory of the store.", valueName: "dir"))
  var store: String?

  @Option(
    help: ArgumentHelp("Who writes, for the store's audit; EPISODIC_ACTOR by default.", valueName: "name"))
  var actor: String?

  @Option(
    help: ArgumentHelp(
      "The file of the key of encrypted domains, of mode 0600; EPISODIC_KEY has the key itself.", valueName: "file"))
  var keyFile: String?

  @Option(help: ArgumentHelp("The descriptor from which the key can be read.", valueName: "number"))
  var keyDescriptor: Int32?

  @Option(
    help: ArgumentHelp("How long to wait for another process that holds a lock of the store.", valueName: "seconds"))
  var busyTimeout: Double = 30

  var path: String {
    if let store { return store }
    if let variable = getenv("EPISODIC_STORE"), variable[0] != 0 { return String(cString: variable) }
    return "./.episodic"
  }

  /// Whether writes leave records, and whose.
  var audit: Auditing {
    if let actor { return .on(actor: actor) }
    if let variable = getenv("EPISODIC_ACTOR"), variable[0] != 0 { return .on(actor: String(cString: variable)) }
    return .off
  }

  /// Where the key of encrypted domains comes from.
  var key: KeyProvider? {
    if let keyFile { return .file(keyFile) }
    if let keyDescriptor { return .descriptor(keyDescriptor) }
    if let variable = getenv("EPISODIC_KEY"), variable[0] != 0 { return .environment() }
    return nil
  }

  /// Where the path comes from.
  var origin: String {
    if store != nil { return "--store" }
    if let variable = getenv("EPISODIC_STORE"), variable[0] != 0 { return "EPISODIC_STORE" }
    return "the default"
  }

  func validate() throws {
    guard (0...1e9).contains(busyTimeout) else {
      throw ValidationError("--busy-timeout \(busyTimeout) is not a number of seconds from 0 on; give one")
    }
    try SecretOptions.validate("key", file: keyFile, descriptor: keyDescriptor)
    if let actor { try NonUTF8Arguments.refuse(actor, as: "--actor") }
    if actor == nil, let variable = getenv("EPISODIC_ACTOR"), String(validatingCString: variable) == nil {
      throw ValidationError("EPISODIC_ACTOR is not UTF-8; give another name")
    }
    if let store { return try NonUTF8Arguments.refuse(store, as: "--store") }
    if let variable = getenv("EPISODIC_STORE"), String(validatingCString: variable) == nil {
      throw ValidationError("EPISODIC_STORE is \(path), which is not UTF-8; rename the directory, or link to it")
    }
  }

  /// Whether there is a store, usable or not.
  var exists: Bool { access(path + "/memory.sqlite", F_OK) == 0 }

  /// What a command does with the store, which decides how much of it is opened.
  enum Use {
    /// Reads, or changes much: with cache and index; the log is moved into the database at the end.
    case whole
    /// Changes much, within little memory: without the cache, which follows by itself (I4), with small caches of pages, with small
    /// steps of the index, which follows beside the import, and with freed memory returned.
    case largeImport
    /// Writes a few rows: without cache and index, which follow the primary by themselves at the next read (I3, I4).
    ///
    /// A short log is left to a later command: moving it would cost more syncs than the write itself.
    case shortWrite
    /// A hook of an agent, which waits for it: without the cache, without the index unless it searches, with locks waited for a
    /// short time only, and with commits that survive the death of the process and not a loss of power.
    case hook(searches: Bool, Logger, busyTimeout: Duration)

    /// Bytes below which the log is left to a later command, which reads it once, at about 1 ms for each megabyte.
    fileprivate var leftLog: Int64 {
      switch self {
      case .whole, .largeImport: 0
      case .shortWrite, .hook(searches: false, _, _): 1 << 20
      // Whose answer the agent waits for; the next call of a tool moves it.
      case .hook(searches: true, _, _): 4 << 20
      }
    }
  }

  /// Opens the store, calls `body` with it, and closes it, also after an error.
  ///
  /// - Parameter creating: Whether to create a missing store.
  /// - Parameter printing: Whether the result goes to standard output; if that is closed, this fails before opening.
  func withMemory<Value>(
    creating: Bool = false, printing: Bool = true, for use: Use = .whole, _ body: (Memory) async throws -> Value
  ) async throws -> Value {
    if printing { try StandardOutput.requireOpen() }
    let memory = try await open(creating: creating, for: use)
    let value: Value
    do {
      value = try await body(memory)
    } catch {
      await close(memory, after: use)
      throw error
    }
    await close(memory, after: use)
    return value
  }

  private func open(creating: Bool, for use: Use) async throws -> Memory {
    guard !path.isEmpty else { throw ValidationError("the store's directory is empty; name one with --store") }
    var options = Memory.OpenOptions()
    options.create = creating
    options.busyTimeout = .seconds(busyTimeout)
    options.audit = audit
    options.key = key
    switch use {
    case .whole: break
    case .largeImport:
      FreedMemory.returnLargeBlocks()
      options.cache.isEnabled = false
      options.pageCacheBytes = 6 << 20
      options.index.stepBytes = 2 << 20
    case .shortWrite:
      options.cache.isEnabled = false
      options.index.isEnabled = false
    case .hook(let searches, let logger, let busyTimeout):
      options.cache.isEnabled = false
      options.index.isEnabled = searches
      options.logger = logger
      options.busyTimeout = busyTimeout
      options.durability = .normal
    }
    return try await Memory.open(at: path, options: options)
  }

  /// Acknowledged writes are durable even if closing fails, so a failure is reported and does not change the exit code.
  private func close(_ memory: Memory, after use: Use) async {
    if logBytes < use.leftLog {
      await memory.closeDerivedFiles()
      // Nothing is lost without a close. Kept until the process ends, so that the last reference does not close it.
      Self.leftOpen.withLock { $0.append(memory) }
      return
    }
    do throws(MemoryError) {
      try await memory.close()
    } catch {
      StandardError.write("episodic: closing \(path): \(error.message)".onOneLine)
    }
  }

  private static let leftOpen = Mutex<[Memory]>([])

  /// The size of the log's file, which is not opened (I5); that of a missing one is 0.
  private var logBytes: Int64 {
    var status = stat()
    return stat(path + "/memory.sqlite-wal", &status) == 0 ? Int64(status.st_size) : 0
  }
}
