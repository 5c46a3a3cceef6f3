import ContextServer
import Episodic
import Foundation
import TestSupport

@testable import ContextServerHTTP

/// An endpoint on a store in memory: requests as values in, answers as values out.
struct EndpointFixture {
  static let token = String(repeating: "a1", count: 16)

  let memory: Memory
  let endpoint: MCPEndpoint
  let clock = ManualClock()

  init(_ memory: Memory? = nil, hasToken: Bool = true) async throws {
    let store: Memory
    if let memory { store = memory } else { store = try await Memory.inMemory() }
    self.memory = store
    let server = MCPServer(
      MCPServer.Options(domain: "web", tools: try ToolSet(), version: "1.2.3"),
      open: { () async throws(MemoryError) in store })
    endpoint = MCPEndpoint(server, token: hasToken ? try BearerToken(Self.token.utf8) : nil, clock: clock)
  }

  /// What a client reads of an answer.
  struct Answer {
    let status: Int
    let fields: [String: String]
    /// One of JSON, or the events of a stream.
    let messages: [JSON]
    let isStream: Bool

    var message: JSON? { messages.last }
    var session: String? { fields["Mcp-Session-Id"] }
  }

  /// Fields of a request that is right; `nil` removes one.
  static func fields(_ changes: [String: String?] = [:]) -> HeaderFields {
    var fields: [String: String] = [
      "Host": "127.0.0.1:8080", "Authorization": "Bearer \(token)", "Content-Type": "application/json",
      "Accept": "application/json, text/event-stream",
    ]
    for (name, value) in changes { fields[name] = value }
    return HeaderFields(fields.map { ($0, $1) })
  }

  func ask(
    _ method: String = "POST", _ path: String = MCPEndpoint.path, _ fields: HeaderFields = EndpointFixture.fields(),
    body: String = ""
  ) async -> Answer {
    let head = RequestHead(method: method, target: path, fields: fields)
    let response: Response
    do throws(Refusal) {
      try endpoint.admit(head)
      response = await endpoint.response(to: head, body: Array(body.utf8))
    } catch {
      response = error.response
    }
    return await Self.answer(response)
  }

  static func answer(_ response: Response) async -> Answer {
    var messages: [JSON] = []
    var isStream = false
    switch response.body {
    case .none: break
    case .json(let json): messages = [json]
    case .events(let first, let replies):
      isStream = true
      messages = first.map { [$0] } ?? []
      for await reply in replies { if let message = reply.message { messages.append(message) } }
    }
    return Answer(
      status: response.status, fields: Dictionary(response.fields.map { ($0.name, $0.value) }) { $1 },
      messages: messages, isStream: isStream)
  }

  // MARK: Messages

  static func request(_ method: String, _ parameters: JSON = [:], id: JSON = 1) -> JSON {
    ["jsonrpc": "2.0", "id": id, "method": .string(method), "params": parameters]
  }

  /// A request of the era without `initialize`, and its headers.
  static func modern(
    _ method: String, _ parameters: JSON.Object = [:], id: JSON = 1, progressToken: JSON? = nil
  ) -> (body: String, fields: [String: String?]) {
    var parameters = parameters
    var meta: JSON.Object = [
      "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": [:],
      "io.modelcontextprotocol/clientInfo": ["name": "claude-code"],
    ]
    meta["progressToken"] = progressToken
    parameters["_meta"] = .object(meta)
    var fields: [String: String?] = ["MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method]
    if case .string(let name)? = parameters["name"] ?? parameters["uri"] { fields["Mcp-Name"] = name }
    return (request(method, .object(parameters), id: id).canonicalText, fields)
  }

  func modern(_ method: String, _ parameters: JSON.Object = [:], progressToken: JSON? = nil) async -> Answer {
    let (body, fields) = Self.modern(method, parameters, progressToken: progressToken)
    return await ask("POST", MCPEndpoint.path, Self.fields(fields), body: body)
  }

  func call(_ tool: String, _ arguments: JSON, progressToken: JSON? = nil) async -> Answer {
    await modern("tools/call", ["name": .string(tool), "arguments": arguments], progressToken: progressToken)
  }

  /// Begins a session of the era with `initialize`.
  func initialize(_ revision: String = "2025-06-18", client: String = "codex") async -> Answer {
    await legacy(
      "initialize",
      ["protocolVersion": .string(revision), "capabilities": [:], "clientInfo": ["name": .string(client)]], session: nil
    )
  }

  func legacy(_ method: String, _ parameters: JSON = [:], id: JSON = 1, session: String?) async -> Answer {
    await ask(
      "POST", MCPEndpoint.path, Self.fields(["Mcp-Session-Id": session]),
      body: Self.request(method, parameters, id: id).canonicalText)
  }
}
