package import EpisodicMemory

/// Serves a memory to models by the Model Context Protocol: messages of clients in, replies to them out.
///
/// It has no logic of memory: each tool checks its arguments, calls verbs of `Memory`, and writes what they return. Nor does it
/// know how messages travel. Requests run concurrently. What is no message is answered with an error of the protocol, and
/// nothing that a client sends ends the server.
package final class MCPServer: Sendable {
  package struct Options: Sendable {
    /// The only domain that is seen and changed (I8).
    package var domain: String
    package var tools: ToolSet
    package var version: String
    /// A message of the library as the user knows its remedies.
    package var wording: @Sendable (String) -> String

    package init(
      domain: String, tools: ToolSet, version: String, wording: @escaping @Sendable (String) -> String = { $0 }
    ) {
      (self.domain, self.tools, self.version, self.wording) = (domain, tools, version, wording)
    }
  }

  /// The longest message that is read.
  package static let maximumMessageBytes = 16 << 20

  let options: Options
  let store: StoreHandle
  let running = RunningRequests()

  /// - Parameter open: Opens the store; called by the first request that needs it, and again after a failure.
  package init(_ options: Options, open: @escaping @Sendable () async throws(MemoryError) -> Memory) {
    self.options = options
    store = StoreHandle(open)
  }

  /// Takes one message of a client and returns at once; answers that need the store follow.
  ///
  /// - Parameter send: Gets what is sent for a request or for what is no message, in order, the last one for certain; nothing for
  ///   other messages. It is called from several threads.
  package func receive(
    _ message: Message, from session: ClientSession, send: @escaping @Sendable (Reply) -> Void
  ) {
    switch message {
    case .nothing, .response: break
    case .invalid(let fault, let id): send(.fault(id, fault))
    case .notification("notifications/cancelled", let parameters):
      if let id = parameters["requestId"] { running.cancel(.init(session: session, id: id)) }
    case .notification: break
    case .request(let request): Exchange(server: self, session: session, request: request, send: send).begin()
    }
  }

  /// Cancels what runs for a client that does not want the answers any more.
  package func cancelRequests(of session: ClientSession) { running.cancelAll(of: session) }

  /// Waits for the requests that are running, at most for a time, and closes the store.
  package func close(waiting limit: Duration) async throws(MemoryError) {
    await running.waitUntilIdle(atMost: limit)
    try await store.close()
  }
}
