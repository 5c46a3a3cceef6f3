#if HTTPServer
  package import EpisodicMemory
  import NIOCore
  import NIOHTTP1
  import NIOPosix

  /// Carries requests from a socket to an endpoint, by swift-nio, and bounds what a client may cost.
  package struct HTTPListener: Sendable {
    private let endpoint: MCPEndpoint
    private let limits: ConnectionLimits

    package init(_ endpoint: MCPEndpoint) { self.init(endpoint, ConnectionLimits()) }

    init(_ endpoint: MCPEndpoint, _ limits: ConnectionLimits) {
      (self.endpoint, self.limits) = (endpoint, limits)
    }

    /// Serves until `end` returns; what runs then may be answered for `patience` more.
    ///
    /// - Parameter socket: Closed at the end.
    /// - Throws: `.unavailable` if the system refuses the socket.
    package func serve(
      _ socket: ListeningSocket, patience: Duration, until end: () async -> Void
    ) async throws(MemoryError) {
      let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
      let connections = OpenConnections()
      do {
        let listening = try await listen(socket, group, connections)
        await end()
        try await listening.close()
        await connections.drain(for: patience)
        try await group.shutdownGracefully()
      } catch {
        throw MemoryError(.unavailable, "the socket cannot be served: \(error); start the server again", cause: error)
      }
    }

    private func listen(
      _ socket: ListeningSocket, _ group: any EventLoopGroup, _ connections: OpenConnections
    ) async throws -> any Channel {
      try await ServerBootstrap(group: group)
        .childChannelInitializer { [endpoint, limits] channel in
          channel.eventLoop.makeCompletedFuture {
            guard connections.count < limits.connections else { throw TooManyConnections() }
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(
              withPipeliningAssistance: false, withEncoderConfiguration: .init(),
              withDecoderLimitConfiguration: limits.decoder)
            let connection = HTTPConnection(
              try .init(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true)),
              endpoint, connections, limits)
            connections.add(channel, Task { await connection.serve() })
          }
        }
        .withBoundSocket(socket.descriptor).get()
    }

    private struct TooManyConnections: Error {}
  }
#endif
