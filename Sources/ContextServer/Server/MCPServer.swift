package import EpisodicMemory
import Synchronization

/// Serves a memory to a model by the Model Context Protocol: lines of a client in, lines for it out.
///
/// It has no logic of memory: each tool checks its arguments, calls verbs of `Memory`, and writes what they return. Requests run
/// concurrently; an answer is one line. A line that is no message is answered with an error of the protocol, and nothing that
/// a client sends ends the server.
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

  /// The longest line that is read.
  package static let maximumLineBytes = 16 << 20

  let options: Options
  let store: StoreHandle
  private let send: @Sendable (String) -> Void
  private let running = RunningRequests()
  /// Of `initialize`.
  private let legacyClient = Mutex<String?>(nil)

  /// - Parameter open: Opens the store; called by the first request that needs it, and again after a failure.
  /// - Parameter send: Gets each line for the client, without its end; called from several threads.
  package init(
    _ options: Options, open: @escaping @Sendable () async throws(MemoryError) -> Memory,
    send: @escaping @Sendable (String) -> Void
  ) {
    self.options = options
    self.send = send
    store = StoreHandle(open)
  }

  /// Takes one line of the client and returns at once; answers that need the store follow.
  package func receive(_ line: [UInt8]) {
    switch Message(line: line) {
    case .nothing, .response: break
    case .invalid(let fault, let id): answer(id, fault)
    case .notification("notifications/cancelled", let parameters):
      if let id = parameters["requestId"] { running.cancel(id) }
    case .notification: break
    case .request(let request): begin(request)
    }
  }

  /// Answers a line that was longer than `maximumLineBytes` and was not kept.
  package func refuseLongLine() {
    answer(
      nil, ProtocolFault(.parse, "the line is longer than \(Self.maximumLineBytes >> 20) MiB; record less at once"))
  }

  /// Waits for the requests that are running, at most for a time, and closes the store.
  package func close(waiting limit: Duration) async throws(MemoryError) {
    await running.waitUntilIdle(atMost: limit)
    try await store.close()
  }

  // MARK: Answering

  private func begin(_ request: Message.Request) {
    do throws(ProtocolFault) {
      let era = try Era(request)
      switch try Method(request, era, options) {
      case .immediate(let result):
        if era == .legacy, request.method == "initialize" { noteClient(request) }
        answer(request.id, era.result(result, options))
      case .cacheable(let result): answer(request.id, era.cacheable(result, options))
      case .call(let tool, let arguments): try start(request, era) { await self.call(tool, arguments, request, era) }
      case .read(let resource): try start(request, era) { await self.read(resource, request, era) }
      }
    } catch {
      answer(request.id, error)
    }
  }

  private func start(
    _ request: Message.Request, _ era: Era, _ body: @escaping @Sendable () async -> JSON
  ) throws(ProtocolFault) {
    let send = send
    do throws(RunningRequests.Refusal) {
      try running.start(request.id, body) { send($0.outputText) }
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

  private func call(_ tool: any Tool, _ arguments: JSON, _ request: Message.Request, _ era: Era) async -> JSON {
    let result: ToolResult
    do throws(MemoryError) {
      let arguments = try InputObject(arguments, as: "the arguments", place: "it")
      result = try await tool.call(arguments, try await toolCall(request, era))
    } catch {
      result = ToolResult(error: await message(for: error))
    }
    var members: JSON.Object = [
      "content": [["type": "text", "text": .string(result.text)]],
      "structuredContent": .object(result.structured),
    ]
    if result.isError { members["isError"] = true }
    return Self.response(request.id, era.result(members, options))
  }

  private func read(_ resource: Resource, _ request: Message.Request, _ era: Era) async -> JSON {
    do throws(MemoryError) {
      let text = try await resource.text(try await toolCall(request, era))
      let contents: JSON = [["uri": .string(resource.uri), "mimeType": "text/plain", "text": .string(text)]]
      return Self.response(request.id, era.cacheable(["contents": contents], options))
    } catch {
      let message = await message(for: error)
      let fault =
        error.code == .notFound ? era.unknownResource(message) : ProtocolFault(.unavailable, message)
      return Self.response(request.id, fault)
    }
  }

  private func toolCall(_ request: Message.Request, _ era: Era) async throws(MemoryError) -> ToolCall {
    let client = era == .legacy ? legacyClient.withLock { $0 } : Self.name(request.meta[MetaKey.clientInfo])
    return ToolCall(
      memory: try await store.memory(), domain: options.domain, actor: client ?? "mcp", repairs: request.repairs,
      progress: progress(request))
  }

  /// What the model is told of an error.
  private func message(for error: MemoryError) async -> String {
    let message = options.wording(error.message).onOneLine
    switch error.code {
    case .invalid, .limitExceeded, .notFound, .conflict, .dimensionMismatch, .cancelled: return message
    default:
      if [.closed, .unavailable, .corrupted].contains(error.code) { await store.reopenNext() }
      return
        "The memory cannot be used now (\(error.code.rawValue)): \(message). Go on without it, and tell the user; "
        + "a check of the store finds the cause."
    }
  }

  private func answer(_ id: Message.RequestID?, _ fault: ProtocolFault) {
    send(Self.response(id, fault).outputText)
  }

  private func answer(_ id: Message.RequestID, _ result: JSON.Object) {
    send(Self.response(id, result).outputText)
  }

  private static func response(_ id: Message.RequestID, _ result: JSON.Object) -> JSON {
    ["jsonrpc": "2.0", "id": id, "result": .object(result)]
  }

  private static func response(_ id: Message.RequestID?, _ fault: ProtocolFault) -> JSON {
    ["jsonrpc": "2.0", "id": id ?? .null, "error": fault.json]
  }

  // MARK: The client

  private func noteClient(_ request: Message.Request) {
    let name = Self.name(request.parameters["clientInfo"])
    legacyClient.withLock { $0 = name }
  }

  /// What the client calls itself, on one line of at most 100 characters; `nil` if it has no name.
  private static func name(_ information: JSON?) -> String? {
    guard case .string(let name)? = information?["name"] else { return nil }
    let line = name.onOneLine.shortened(to: 100)
    return line.isEmpty ? nil : line
  }

  /// Sends a notification for each stage, if the client gave a token for it.
  private func progress(_ request: Message.Request) -> @Sendable (String) -> Void {
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
      let notification: JSON = ["jsonrpc": "2.0", "method": "notifications/progress", "params": parameters]
      send(notification.outputText)
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
