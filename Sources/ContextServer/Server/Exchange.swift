import EpisodicMemory
import Synchronization

/// One request of a client, and what is sent for it.
struct Exchange: Sendable {
  let server: MCPServer
  let session: ClientSession
  let request: Message.Request
  let send: @Sendable (Reply) -> Void

  private var options: MCPServer.Options { server.options }

  /// Answers what needs no store; the rest runs on.
  func begin() {
    do throws(ProtocolFault) {
      let era = try Era(request)
      switch try Method(request, era, options) {
      case .immediate(let result):
        if era == .legacy, request.method == "initialize" {
          session.clientName = Self.name(request.parameters["clientInfo"])
        }
        send(.result(request.id, era.result(result, options)))
      case .cacheable(let result): send(.result(request.id, era.cacheable(result, options)))
      case .call(let tool, let arguments): try start { await call(tool, arguments, era) }
      case .read(let resource): try start { await read(resource, era) }
      }
    } catch {
      send(.fault(request.id, error))
    }
  }

  private func start(_ body: @escaping @Sendable () async -> Reply) throws(ProtocolFault) {
    do throws(RunningRequests.Refusal) {
      try server.running.start(.init(session: session, id: request.id), body, send: send)
    } catch {
      switch error {
      case .idIsInUse:
        throw ProtocolFault(
          .invalidRequest, "the id \(request.id.shortened) is of a request that is running; use another")
      case .tooMany:
        throw ProtocolFault(
          .unavailable, "\(RunningRequests.maximum) requests are running; wait for the answer to one of them")
      }
    }
  }

  private func call(_ tool: any Tool, _ arguments: JSON, _ era: Era) async -> Reply {
    let result: ToolResult
    do throws(MemoryError) {
      let arguments = try InputObject(arguments, as: "the arguments", place: "it")
      result = try await tool.call(arguments, try await toolCall(era))
    } catch {
      result = ToolResult(error: await message(for: error))
    }
    var members: JSON.Object = [
      "content": [["type": "text", "text": .string(result.text)]],
      "structuredContent": .object(result.structured),
    ]
    if result.isError { members["isError"] = true }
    return .result(request.id, era.result(members, options))
  }

  private func read(_ resource: Resource, _ era: Era) async -> Reply {
    do throws(MemoryError) {
      let text = try await resource.text(try await toolCall(era))
      let contents: JSON = [["uri": .string(resource.uri), "mimeType": "text/plain", "text": .string(text)]]
      return .result(request.id, era.cacheable(["contents": contents], options))
    } catch {
      let message = await message(for: error)
      let fault =
        error.code == .notFound ? era.unknownResource(message) : ProtocolFault(.unavailable, message)
      return .fault(request.id, fault)
    }
  }

  private func toolCall(_ era: Era) async throws(MemoryError) -> ToolCall {
    let client = era == .legacy ? session.clientName : Self.name(request.meta[MetaKey.clientInfo])
    return ToolCall(
      memory: try await server.store.memory(), domain: options.domain, actor: client ?? "mcp",
      repairs: request.repairs, progress: progress())
  }

  /// What the model is told of an error.
  private func message(for error: MemoryError) async -> String {
    let message = options.wording(error.message).onOneLine
    switch error.code {
    case .invalid, .limitExceeded, .notFound, .conflict, .dimensionMismatch, .cancelled: return message
    default:
      if [.closed, .unavailable, .corrupted].contains(error.code) { await server.store.reopenNext() }
      return
        "The memory cannot be used now (\(error.code.rawValue)): \(message). Go on without it, and tell the user; "
        + "a check of the store finds the cause."
    }
  }

  /// What a client calls itself, on one line of at most 100 characters; `nil` if it has no name.
  private static func name(_ information: JSON?) -> String? {
    guard case .string(let name)? = information?["name"] else { return nil }
    let line = name.onOneLine.shortened(to: 100)
    return line.isEmpty ? nil : line
  }

  /// Sends a notification for each stage, if the client gave a token for it.
  private func progress() -> @Sendable (String) -> Void {
    let token: JSON
    switch request.meta["progressToken"] {
    case .string?, .integer?, .unsigned?: token = request.meta["progressToken"] ?? .null
    default: return { _ in }
    }
    let stage = ProgressCounter()
    let send = send
    return { message in
      guard let count = stage.next(message), !Task.isCancelled else { return }
      let parameters: JSON = [
        "progressToken": token, "progress": .integer(count), "message": .string(message),
      ]
      send(.progress(["jsonrpc": "2.0", "method": "notifications/progress", "params": parameters]))
    }
  }
}

/// Counts stages: each is told once, with a number that grows.
private final class ProgressCounter: Sendable {
  private let state = Mutex((count: Int64(0), last: ""))

  func next(_ stage: String) -> Int64? {
    state.withLock { state in
      guard state.last != stage else { return nil }
      state = (state.count + 1, stage)
      return state.count
    }
  }
}
