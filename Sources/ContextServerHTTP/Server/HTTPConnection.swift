#if HTTPServer
  import ContextServer
  import EpisodicMemory
  import NIOCore
  import NIOHTTP1

  /// One connection: requests one after the other, each with a time for its head, its body and its answer.
  struct HTTPConnection: Sendable {
    typealias Parts = NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator
    typealias Output = NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>

    private let connection: NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>
    private let endpoint: MCPEndpoint
    private let connections: OpenConnections
    private let limits: ConnectionLimits

    private var channel: any Channel { connection.channel }

    init(
      _ connection: NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>, _ endpoint: MCPEndpoint,
      _ connections: OpenConnections, _ limits: ConnectionLimits
    ) {
      (self.connection, self.endpoint, self.connections, self.limits) = (connection, endpoint, connections, limits)
    }

    func serve() async {
      do {
        try await connection.executeThenClose { parts, output in
          var parts = parts.makeAsyncIterator()
          var limit = limits.firstHead
          while connections.note(channel, isWaiting: true), let head = try await head(&parts, within: limit) {
            guard try await serve(head, &parts, output) else { return try await linger(&parts, output) }
            limit = limits.nextHead
          }
        }
      } catch {
        // The client is gone, was too slow, or sent what is no HTTP, to which the pipeline has answered 400.
      }
    }

    /// - Returns: Whether the connection may be used for another request.
    private func serve(_ head: HTTPRequestHead, _ parts: inout Parts, _ output: Output) async throws -> Bool {
      let request = RequestHead(
        method: head.method.rawValue, target: head.uri, fields: HeaderFields(head.headers.map { ($0.name, $0.value) }))
      let body: [UInt8]
      do throws(Refusal) {
        guard head.version == .http1_1 else { throw Refusal(505, "the version of HTTP is not 1.1; use it") }
        try endpoint.admit(request)
        body = try await self.body(of: head, &parts, output)
      } catch {
        try await write(error.response, isKept: false, to: output)
        return false
      }
      let response = await endpoint.response(to: request, body: body)
      let isKept = connections.note(channel, isWaiting: false) && head.isKeepAlive
      try await write(response, isKept: isKept, to: output)
      return isKept
    }

    // MARK: Reading

    private func head(_ parts: inout Parts, within limit: Duration) async throws -> HTTPRequestHead? {
      let alarm = close(after: limit)
      defer { alarm.cancel() }
      guard case .head(let head)? = try await parts.next(isolation: #isolation) else { return nil }
      _ = connections.note(channel, isWaiting: false)
      return head
    }

    private func body(
      of head: HTTPRequestHead, _ parts: inout Parts, _ output: Output
    ) async throws(Refusal) -> [UInt8] {
      let alarm = close(after: limits.body)
      defer { alarm.cancel() }
      do {
        if head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }) {
          try await output.write(.head(HTTPResponseHead(version: .http1_1, status: .continue)))
        }
        var body: [UInt8] = []
        while true {
          guard let part = try await parts.next(isolation: #isolation) else { throw ChannelError.eof }
          guard case .body(let bytes) = part else { return body }
          guard body.count + bytes.readableBytes <= MCPServer.maximumMessageBytes else { throw MCPEndpoint.tooLong }
          body += bytes.readableBytesView
        }
      } catch let error as Refusal {
        throw error
      } catch {
        throw Refusal(400, "the body is not whole: \(error); send it again")
      }
    }

    // MARK: Writing

    private func write(_ response: Response, isKept: Bool, to output: Output) async throws {
      var fields = HTTPHeaders(response.fields)
      if !isKept { fields.add(name: "Connection", value: "close") }
      switch response.body {
      case .none:
        if response.status != 204 { fields.add(name: "Content-Length", value: "0") }
        try await write([head(response, fields), .end(nil)], to: output)
      case .json(let json):
        let text = ByteBuffer(string: json.outputText)
        fields.add(name: "Content-Length", value: "\(text.readableBytes)")
        try await write([head(response, fields), .body(.byteBuffer(text)), .end(nil)], to: output)
      case .events(let first, let replies):
        try await write([head(response, fields)] + (first.map { [event($0)] } ?? []), to: output)
        for await reply in replies {
          if let message = reply.message { try await write([event(message)], to: output) }
        }
        try await write([.end(nil)], to: output)
      }
    }

    private func head(_ response: Response, _ fields: HTTPHeaders) -> HTTPServerResponsePart {
      .head(HTTPResponseHead(version: .http1_1, status: .init(statusCode: response.status), headers: fields))
    }

    private func event(_ message: JSON) -> HTTPServerResponsePart {
      .body(.byteBuffer(ByteBuffer(string: Response.event(message))))
    }

    private func write(_ parts: [HTTPServerResponsePart], to output: Output) async throws {
      let alarm = close(after: limits.writing)
      defer { alarm.cancel() }
      try await output.write(contentsOf: parts)
    }

    /// Drops what the client still sends, until it has seen that no more is read.
    private func linger(_ parts: inout Parts, _ output: Output) async throws {
      output.finish()
      let alarm = close(after: limits.lingering)
      defer { alarm.cancel() }
      while try await parts.next(isolation: #isolation) != nil {}
    }

    private func close(after limit: Duration) -> Scheduled<Void> {
      channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { [channel] in channel.close(promise: nil) }
    }
  }
#endif
