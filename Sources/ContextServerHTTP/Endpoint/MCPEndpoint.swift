package import ContextServer
package import EpisodicMemory
import Synchronization

/// The one place of the server: requests of HTTP in, answers out, whatever carries them.
///
/// It checks who asks and what HTTP says of a message, and passes messages to the server. Both eras of the protocol are served: up
/// to 2025-11-25 `initialize` begins a session, which later requests name; from 2026-07-28 on each request stands alone.
package final class MCPEndpoint: Sendable {
  package static let path = "/mcp"
  /// The only one in which several messages may be sent at once.
  private static let revisionWithBatches = "2025-03-26"
  /// Messages of a batch.
  static let maximumBatch = 64

  private let server: MCPServer
  private let access: AccessRules
  private let sessions: SessionTable

  /// - Parameter token: What clients must present; `nil` if whoever reaches the server may ask.
  package init(_ server: MCPServer, token: BearerToken?, clock: any WallClock = SystemClock()) {
    self.server = server
    access = AccessRules(token: token)
    sessions = SessionTable(clock: clock)
  }

  /// Checks a request before its body is read.
  package func admit(_ head: RequestHead) throws(Refusal) {
    try access.check(head.fields)
    guard head.path == Self.path else { throw Refusal(404, "there is nothing at this path; ask \(Self.path)") }
    switch head.method {
    case "POST": try checkForms(head.fields)
    case "DELETE": break
    default:
      // The server sends nothing of its own accord, so that it has no stream for GET.
      throw Refusal(405, "the method is not POST or DELETE; send messages by POST", fields: [("Allow", "POST, DELETE")])
    }
    if let length = try head.fields.one("content-length"),
      UInt64(length).map({ $0 > UInt64(MCPServer.maximumMessageBytes) }) ?? true
    {
      throw Self.tooLong
    }
  }

  /// Of a body longer than a message may be.
  package static var tooLong: Refusal {
    Refusal(413, "the body is longer than \(MCPServer.maximumMessageBytes >> 20) MiB; record less at once")
  }

  /// Answers a request that was admitted.
  ///
  /// A modern request is cancelled when the task of this call is, or when the stream in its answer is no longer read. One of the
  /// legacy era goes on: there a lost connection says nothing about what its client wants.
  package func response(to head: RequestHead, body: [UInt8]) async -> Response {
    do throws(Refusal) {
      return head.method == "DELETE" ? try endSession(head.fields) : try await receive(body, head.fields)
    } catch {
      return error.response
    }
  }

  private func checkForms(_ fields: HeaderFields) throws(Refusal) {
    let type = try fields.one("content-type") ?? "missing"
    let parts = type.lowercased().split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" && $0 != "\"" } }
    guard parts.first == "application/json",
      parts.dropFirst().allSatisfy({ !$0.hasPrefix("charset=") || $0 == "charset=utf-8" })
    else {
      throw Refusal(
        415, "the content type is \(type.onOneLine.shortened(to: 60)); send application/json in UTF-8",
        fields: [("Accept", "application/json")])
    }
    guard try ["identity", nil].contains(fields.one("content-encoding")) else {
      throw Refusal(415, "the body is encoded; send it as it is", fields: [("Accept-Encoding", "identity")])
    }
    let accepted = fields.all("accept").joined(separator: ",").lowercased().split(separator: ",").map { range in
      range.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
    }
    for type in ["application/json", "text/event-stream"] where !accepted.isEmpty {
      let ranges = [type, String(type.prefix { $0 != "/" }) + "/*", "*/*"]
      guard accepted.contains(where: ranges.contains) else {
        throw Refusal(
          406, "the answer may be \(type), which Accept lacks; accept application/json and text/event-stream")
      }
    }
  }

  // MARK: Messages

  private func receive(_ body: [UInt8], _ fields: HeaderFields) async throws(Refusal) -> Response {
    if let batch = Message.batch(body) {
      let entry = try session(fields)
      if entry.revision == Self.revisionWithBatches { return try answer(batch, of: entry.session) }
    }
    let message = Message(body)
    switch message {
    case .nothing: throw Refusal(400, "the body has no message that can be taken; send one in JSON")
    case .invalid: return await answer(message, of: ClientSession(), isModern: true)
    case .notification, .response:
      // In the modern era there is none that means something over HTTP.
      if try fields.one(RequestMetadata.version) != ProtocolVersion.modern {
        server.receive(message, from: try session(fields).session) { _ in }
      }
      return Response(202)
    case .request(let request):
      do throws(ProtocolFault) {
        try RequestMetadata(fields).check(request)
      } catch {
        return await answer(.invalid(error, id: request.id), of: ClientSession(), isModern: true)
      }
      if request.isModern { return await answer(message, of: ClientSession(), isModern: true) }
      if request.method == "initialize" { return await initialize(message) }
      return await answer(message, of: try session(fields).session, isModern: false)
    }
  }

  /// One message: its answer as JSON, or as a stream if something comes before it.
  private func answer(_ message: Message, of session: ClientSession, isModern: Bool) async -> Response {
    let replies = replies(to: [message], of: session, isModern: isModern)
    var iterator = replies.makeAsyncIterator()
    switch await iterator.next(isolation: #isolation) {
    case .answer(let answer, let code): return Response(Self.status(code, isModern: isModern), .json(answer))
    case .progress(let notification): return Response(200, .events(first: notification, replies))
    case .cancelled, nil: return Response(200, .events(first: nil, replies))
    }
  }

  /// A batch: its answers as a stream, in the order in which they come.
  private func answer(_ batch: [Message], of session: ClientSession) throws(Refusal) -> Response {
    guard (1...Self.maximumBatch).contains(batch.count) else {
      throw Refusal(400, "the batch has \(batch.count) messages; send 1 to \(Self.maximumBatch)")
    }
    let messages = batch.map { message in
      if case .request(let request) = message, request.isModern || request.method == "initialize" {
        return Message.invalid(
          ProtocolFault(.invalidRequest, "a batch has no such request in this revision; send it alone"), id: request.id)
      }
      return message
    }
    let replies = replies(to: messages, of: session, isModern: false)
    return messages.contains(where: \.isAnswered) ? Response(200, .events(first: nil, replies)) : Response(202)
  }

  /// What is sent for messages, until the last of them is answered.
  private func replies(to messages: [Message], of session: ClientSession, isModern: Bool) -> AsyncStream<Reply> {
    let (replies, continuation) = AsyncStream<Reply>.makeStream()
    if isModern {
      continuation.onTermination = { [server] reason in
        if case .cancelled = reason { server.cancelRequests(of: session) }
      }
    }
    let unanswered = Atomic(messages.count(where: \.isAnswered))
    if unanswered.load(ordering: .relaxed) == 0 { continuation.finish() }
    let send: @Sendable (Reply) -> Void = { reply in
      continuation.yield(reply)
      guard reply.isLast else { return }
      if unanswered.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { continuation.finish() }
    }
    for message in messages { server.receive(message, from: session, send: send) }
    return replies
  }

  /// The modern era has statuses for errors of the protocol. Earlier clients read none but for what is no message.
  private static func status(_ code: ProtocolFault.Code?, isModern: Bool) -> Int {
    switch code {
    case .parse, .invalidRequest, .unsupportedVersion, .headerMismatch: 400
    case .invalidParameters where isModern: 400
    case .unknownMethod where isModern: 404
    default: 200
    }
  }

  // MARK: Sessions

  private func initialize(_ message: Message) async -> Response {
    let session = ClientSession()
    let response = await answer(message, of: session, isModern: false)
    guard case .json(let answer) = response.body, case .string(let revision)? = answer["result"]?["protocolVersion"]
    else {
      return response
    }
    let id = sessions.add(session, revision: revision)
    return Response(response.status, response.body, fields: [("Mcp-Session-Id", id)])
  }

  private func session(_ fields: HeaderFields) throws(Refusal) -> SessionTable.Entry {
    guard let entry = sessions.use(try sessionID(fields)) else { throw Self.noSession }
    return entry
  }

  private func endSession(_ fields: HeaderFields) throws(Refusal) -> Response {
    guard let session = sessions.remove(try sessionID(fields)) else { throw Self.noSession }
    server.cancelRequests(of: session)
    return Response(204)
  }

  private func sessionID(_ fields: HeaderFields) throws(Refusal) -> String {
    guard let id = try fields.one("mcp-session-id") else {
      throw Refusal(400, "the header Mcp-Session-Id is missing; call initialize, and send the one that it answers")
    }
    return id
  }

  private static var noSession: Refusal {
    Refusal(404, "there is no such session, or it has ended; call initialize again")
  }
}
