#if HTTPServer
  import NIOCore
  import Synchronization

  /// The connections that are open, and which of them wait for a request.
  final class OpenConnections: Sendable {
    private struct Connection {
      let channel: any Channel
      let task: Task<Void, Never>
      var isWaiting = true
    }

    private struct State {
      var connections: [ObjectIdentifier: Connection] = [:]
      var isDraining = false
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.connections.count } }

    /// - Parameter task: Serves the connection; cancelled when it is closed, by either end.
    func add(_ channel: any Channel, _ task: Task<Void, Never>) {
      let id = ObjectIdentifier(channel)
      state.withLock { $0.connections[id] = Connection(channel: channel, task: task) }
      channel.closeFuture.whenComplete { [self] _ in
        task.cancel()
        state.withLock { $0.connections[id] = nil }
      }
    }

    /// Notes that a connection waits for a request, or has got one.
    ///
    /// - Returns: Whether the server goes on.
    func note(_ channel: any Channel, isWaiting: Bool) -> Bool {
      state.withLock { state in
        state.connections[ObjectIdentifier(channel)]?.isWaiting = isWaiting
        return !state.isDraining
      }
    }

    /// Closes the connections that wait, and the others when their answer is sent, or after a time.
    func drain(for limit: Duration) async {
      let connections = state.withLock { state in
        state.isDraining = true
        return Array(state.connections.values)
      }
      for connection in connections {
        let channel = connection.channel
        channel.eventLoop.scheduleTask(in: connection.isWaiting ? .zero : TimeAmount(limit)) {
          channel.close(promise: nil)
        }
      }
      for connection in connections { await connection.task.value }
    }
  }
#endif
