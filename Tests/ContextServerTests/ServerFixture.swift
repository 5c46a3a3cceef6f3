import ContextServer
import Episodic
import Foundation
import Synchronization
import TestSupport
import Testing

/// A server on a store in memory, with the lines that it has sent.
final class ServerFixture: Sendable {
  /// Longer than any answer takes on a busy machine.
  private static let patience = Duration.seconds(60)

  let memory: Memory
  let server: MCPServer
  private let session = ClientSession()
  private let lines = Mutex<[String]>([])

  convenience init(domain: String = "web", tools: [String]? = nil, isReadOnly: Bool = false) async throws {
    try self.init(try await Memory.inMemory(), domain: domain, tools: tools, isReadOnly: isReadOnly)
  }

  convenience init(
    _ memory: Memory, domain: String = "web", tools: [String]? = nil, isReadOnly: Bool = false
  ) throws {
    try self.init(memory, domain: domain, tools: tools, isReadOnly: isReadOnly) { () async throws(MemoryError) in memory
    }
  }

  init(
    _ memory: Memory, domain: String = "web", tools: [String]? = nil, isReadOnly: Bool = false,
    open: @escaping @Sendable () async throws(MemoryError) -> Memory
  ) throws {
    self.memory = memory
    server = MCPServer(
      MCPServer.Options(
        domain: domain, tools: try ToolSet(names: tools, isReadOnly: isReadOnly), version: "1.2.3",
        wording: { $0.replacing("call check()", with: "run check") }),
      open: open)
  }

  // MARK: Lines

  func send(_ text: String) { send(Array(text.utf8)) }
  func send(_ text: [UInt8]) { send(Message(text)) }
  func send(_ message: Message) {
    server.receive(message, from: session) { [self] reply in
      guard let message = reply.message else { return }
      lines.withLock { $0.append(message.outputText) }
    }
  }
  func send(_ message: JSON) { send(message.canonicalText) }

  /// Every line so far.
  var sent: [String] { lines.withLock { $0 } }

  /// Waits for a message.
  func message(where isWanted: (JSON) -> Bool) async throws -> JSON {
    let deadline = ContinuousClock.now + Self.patience
    while ContinuousClock.now < deadline {
      for line in sent {
        let message = try JSON(text: line)
        if isWanted(message) { return message }
      }
      try await Task.sleep(for: .milliseconds(2))
    }
    throw Missing(sent: sent)
  }

  struct Missing: Error { let sent: [String] }

  // MARK: Requests

  /// Sends a request of the legacy era and waits for its answer.
  func request(_ method: String, _ parameters: JSON = [:], id: JSON = .string(UUID().uuidString)) async throws -> JSON {
    send(["jsonrpc": "2.0", "id": id, "method": .string(method), "params": parameters])
    return try await message { $0["id"] == id }
  }

  /// Sends a request of the modern era and waits for its answer.
  func modern(_ method: String, _ parameters: JSON.Object = [:], client: String = "claude-code") async throws -> JSON {
    var parameters = parameters
    parameters["_meta"] = Self.meta(client)
    return try await request(method, .object(parameters))
  }

  static func meta(_ client: String = "claude-code") -> JSON {
    [
      "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": [:],
      "io.modelcontextprotocol/clientInfo": ["name": .string(client), "version": "1"],
    ]
  }

  /// Calls a tool and returns its result.
  func call(_ tool: String, _ arguments: JSON) async throws -> JSON {
    let answer = try await modern("tools/call", ["name": .string(tool), "arguments": arguments])
    return try #require(answer["result"], "\(answer)")
  }

  /// The structured result of a call that succeeds.
  func structured(_ tool: String, _ arguments: JSON) async throws -> JSON {
    let result = try await call(tool, arguments)
    try #require(result["isError"] == nil, "\(result)")
    return try #require(result["structuredContent"])
  }

  /// The message of a call that is refused with a result.
  func refusal(_ tool: String, _ arguments: JSON) async throws -> String {
    let result = try await call(tool, arguments)
    try #require(result["isError"] == true, "\(result)")
    return try #require(result["structuredContent"]?["error"]?.text)
  }
}

extension JSON {
  var text: String? { if case .string(let text) = self { text } else { nil } }
  var elements: [JSON] { if case .array(let elements) = self { elements } else { [] } }
  var number: Int64? { if case .integer(let number) = self { number } else { nil } }
}

/// Counts from 1.
final class Counter: Sendable {
  private let count = Mutex(0)

  func next() -> Int {
    count.withLock { count in
      count += 1
      return count
    }
  }
}
