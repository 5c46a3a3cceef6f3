import Episodic
import Foundation

/// The modes of tests of backups.
extension StoreWorker {
  /// - Returns: False if it is none of these modes.
  static func runsBackups(_ arguments: [String]) async throws -> Bool {
    let (directory, argument) = (arguments[2], arguments[3])
    switch arguments[1] {
    case "sequence": try await sequence(try await open(directory), name: argument)
    case "backup": try await backUp(try await open(directory), compressed: argument == "gzip")
    case "backup-once":
      _ = try await open(directory).backUp(to: argument)
      acknowledge("made")
    case "restore":
      acknowledge("begun")
      _ = try await Memory.restore(argument, to: directory)
      acknowledge("restored")
    case "hold": try await hold(directory, until: argument)
    default: return false
    }
    return true
  }

  private static func open(_ directory: String) async throws -> Memory {
    var options = Memory.OpenOptions()
    (options.durability, options.cache.isEnabled, options.index.isEnabled) = (.normal, false, false)
    return try await Memory.open(at: directory, options: options)
  }

  /// Counts up until it is killed: the episode `NAME-0` gets 20 steps one by one and is completed, then `NAME-1`.
  private static func sequence(_ memory: Memory, name: String) async throws {
    for round in 0... {
      let id = Episode.ID("\(name)-\(round)")
      _ = try await memory.begin(.init(.testing, domain: name, context: "sequence \(name)", id: id))
      for number in 1...20 { try await memory.append(Step.Draft("step \(number)"), to: id) }
      try await memory.complete(id)
      acknowledge("\(id)")
    }
  }

  /// Makes backups, of which the newest three are kept, until it is killed.
  private static func backUp(_ memory: Memory, compressed: Bool) async throws {
    acknowledge("opened")
    while true {
      let backup = try await memory.backUp(options: BackupOptions(compression: compressed ? .gzip : .none, keep: 3))
      acknowledge(backup.path)
    }
  }

  /// Reads and writes with cache and index until the store is another; then opens it again and prints what it finds.
  private static func hold(_ directory: String, until marker: String) async throws {
    let memory = try await Memory.open(at: directory)
    let id = Episode.ID("held-\(getpid())")
    _ = try await memory.begin(.init(.testing, domain: "held", context: "held", id: id))
    acknowledge("opened")
    do throws(MemoryError) {
      for number in 1... {
        try await memory.append(Step.Draft("step \(number)"), to: id)
        guard try await memory.episode(id)?.steps.count == number else { break }
        _ = try await memory.episode(Episode.ID(marker))
      }
      acknowledge("mixed")
    } catch {
      acknowledge("failed \(error.code.rawValue)")
    }
    try? await memory.close()
    let again = try await Memory.open(at: directory)
    let found = try await again.episode(Episode.ID(marker)) != nil
    let mine = try await again.episode(id) != nil
    acknowledge("again \(found) \(mine)")
    try await again.close()
  }
}
