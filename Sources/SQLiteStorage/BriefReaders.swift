import GRDB
import Synchronization

/// Connections for reads that take milliseconds at most, on the thread that asks: to hand them to another thread and back
/// would cost as much as they do.
///
/// Nobody waits for one: who finds none idle goes the longer way.
final class BriefReaders: Sendable {
  private struct State {
    var idle: [DatabaseQueue] = []
    var open = 0
    var isClosed = false
  }

  private let path: String
  private let configuration: Configuration
  private let maximumCount: Int
  private let state = Mutex(State())

  init(path: String, configuration: Configuration, maximumCount: Int) {
    self.path = path
    var configuration = configuration
    configuration.readonly = true
    self.configuration = configuration
    self.maximumCount = maximumCount
  }

  /// Reads one snapshot.
  ///
  /// - Returns: `nil` where no connection is idle.
  func read<Value>(_ body: (Database) throws -> Value) throws -> Value? {
    guard let reader = try take() else { return nil }
    defer { putBack(reader) }
    return try reader.read(body)
  }

  /// Closes those that are idle, and those in use when they are put back.
  func close() throws {
    let idle = state.withLock { state in
      defer { state.idle = [] }
      state.isClosed = true
      return state.idle
    }
    for reader in idle { try reader.close() }
  }

  private func take() throws -> DatabaseQueue? {
    let (idle, mayOpen) = state.withLock { state -> (DatabaseQueue?, Bool) in
      if state.isClosed { return (nil, false) }
      if let idle = state.idle.popLast() { return (idle, false) }
      guard state.open < maximumCount else { return (nil, false) }
      state.open += 1
      return (nil, true)
    }
    guard mayOpen else { return idle }
    do {
      return try DatabaseQueue(path: path, configuration: configuration)
    } catch {
      state.withLock { $0.open -= 1 }
      throw error
    }
  }

  /// One that came back after the end closes with its last reference.
  private func putBack(_ reader: DatabaseQueue) {
    state.withLock { state in
      if !state.isClosed { state.idle.append(reader) }
    }
  }
}
