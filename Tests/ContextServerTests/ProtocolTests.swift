import Episodic
import Foundation
import TestSupport
import Testing

@testable import ContextServer

@Suite struct `Both eras of the protocol` {
  @Test(arguments: [
    ("2024-11-05", "2024-11-05"), ("2025-03-26", "2025-03-26"), ("2025-06-18", "2025-06-18"),
    ("2025-11-25", "2025-11-25"), ("2026-07-28", "2025-11-25"), ("1999-01-01", "2025-11-25"),
  ]) func `initialize answers with the revision of the client, or the newest that has initialize`(
    _ wanted: String, _ answered: String
  ) async throws {
    let fixture = try await ServerFixture()
    let result = try await fixture.request(
      "initialize", ["protocolVersion": .string(wanted), "capabilities": [:], "clientInfo": ["name": "c"]])["result"]
    #expect(result?["protocolVersion"] == .string(answered))
    #expect(result?["serverInfo"]?["name"] == "episodic" && result?["serverInfo"]?["version"] == "1.2.3")
    let instructions = try #require(result?["instructions"]?.text)
    #expect(instructions.utf8.count < 600 && instructions.hasPrefix("Memory of past attempts"))
    // The legacy era has none of what the modern one adds.
    let list = try await fixture.request("tools/list")["result"]
    #expect(list?["ttlMs"] == nil && list?["resultType"] == nil && list?["_meta"] == nil)
    #expect(try await fixture.request("ping")["result"] == [:])
  }

  @Test func `a modern request needs no initialize, and its results say what they are`() async throws {
    let fixture = try await ServerFixture()
    let discovered = try await fixture.modern("server/discover")["result"]
    #expect(discovered?["supportedVersions"]?.elements.first == "2026-07-28")
    #expect(discovered?["supportedVersions"]?.elements.count == 5)
    for method in ["server/discover", "tools/list", "resources/list", "resources/templates/list", "prompts/list"] {
      let result = try await fixture.modern(method)["result"]
      #expect(result?["resultType"] == "complete" && result?["ttlMs"]?.number != nil, "\(method)")
      #expect(result?["cacheScope"] == "private", "\(method)")
      #expect(result?["_meta"]?["io.modelcontextprotocol/serverInfo"]?["name"] == "episodic", "\(method)")
    }
    let called = try await fixture.call("recall", ["text": "x"])
    #expect(called["resultType"] == "complete" && called["ttlMs"] == nil)
  }

  @Test func `a revision that is unknown is refused with those that there are`() async throws {
    let fixture = try await ServerFixture()
    let answer = try await fixture.request(
      "tools/list",
      [
        "_meta": [
          "io.modelcontextprotocol/protocolVersion": "2031-01-01", "io.modelcontextprotocol/clientCapabilities": [:],
        ]
      ])
    #expect(answer["error"]?["code"] == -32022)
    #expect(answer["error"]?["data"]?["requested"] == "2031-01-01")
    #expect(answer["error"]?["data"]?["supported"]?.elements.contains("2026-07-28") == true)
    let without = try await fixture.request(
      "tools/list", ["_meta": ["io.modelcontextprotocol/protocolVersion": "2026-07-28"]])
    #expect(without["error"]?["code"] == -32602)
  }

  @Test(arguments: [
    ("initialize", -32601), ("ping", -32601), ("logging/setLevel", -32601), ("subscriptions/listen", -32601),
    ("tools/call", -32602), ("resources/read", -32602), ("prompts/get", -32602),
  ]) func `what the modern era does not have is an unknown method`(_ method: String, _ code: Int) async throws {
    let answer = try await ServerFixture().modern(method)
    #expect(answer["error"]?["code"] == .integer(Int64(code)), "\(answer)")
  }

  @Test func `unknown methods, tools, resources, prompts and cursors are errors of the protocol`() async throws {
    let fixture = try await ServerFixture()
    func code(_ method: String, _ parameters: JSON) async throws -> JSON? {
      try await fixture.request(method, parameters)["error"]?["code"]
    }
    #expect(try await code("server/discover", [:]) == -32601)
    #expect(try await code("toolz/list", [:]) == -32601)
    #expect(try await code("tools/call", ["name": "rekall"]) == -32602)
    #expect(try await code("tools/list", ["cursor": "x"]) == -32602)
    #expect(try await code("prompts/get", ["name": "x"]) == -32602)
    #expect(try await code("resources/read", ["uri": "file:///etc/passwd"]) == -32002)
    #expect(try await code("resources/read", ["uri": "episodic://episode/none"]) == -32002)
    let modern = try await fixture.modern("resources/read", ["uri": "episodic://episode/none"])
    #expect(modern["error"]?["code"] == -32602)
  }

  @Test func `the prompt names record and repeats the task on one line`() async throws {
    let fixture = try await ServerFixture()
    let result = try await fixture.modern(
      "prompts/get", ["name": "postmortem", "arguments": ["task": "fix\n\u{1B}[2J it"]])["result"]
    let text = try #require(result?["messages"]?.elements.first?["content"]?["text"]?.text)
    #expect(text.contains("Call the tool record once") && text.contains("fix \\u{1b}[2J it."), "\(text)")
  }
}

@Suite struct `Definitions of tools` {
  @Test func `all five have at most 850 tokens, three of them fewer`() throws {
    let all = TokenEstimate.count(try ToolSet().definitionsForModel)
    let three = TokenEstimate.count(try ToolSet(names: ["recall", "show", "record"]).definitionsForModel)
    #expect(all <= 850 && three < all, "\(all) and \(three)")
    print("definitions: \(all) tokens, \(three) of recall, show and record")
  }

  @Test func `the tools are those that are asked for, in one order`() async throws {
    func names(_ fixture: ServerFixture) async throws -> [String] {
      try await fixture.modern("tools/list")["result"]?["tools"]?.elements.compactMap { $0["name"]?.text } ?? []
    }
    #expect(try await names(ServerFixture()) == ["recall", "show", "record", "feedback", "forget"])
    #expect(try await names(ServerFixture(tools: ["record", "recall"])) == ["recall", "record"])
    #expect(try await names(ServerFixture(isReadOnly: true)) == ["recall", "show"])
    #expect(throws: MemoryError.self) { try ToolSet(names: ["recall", "x"]) }
    #expect(throws: MemoryError.self) { try ToolSet(names: ["record"], isReadOnly: true) }
    let read = try await ServerFixture(isReadOnly: true)
    #expect(try await read.modern("tools/call", ["name": "record"])["error"]?["code"] == -32602)
  }

  @Test func `each schema is one that clients accept, and recall is in the prompt at once`() async throws {
    let tools = try await ServerFixture().modern("tools/list")["result"]?["tools"]?.elements ?? []
    for tool in tools {
      let schema = try #require(tool["inputSchema"])
      #expect(schema["type"] == "object")
      let names = schema["properties"]?.members?.map(\.name) ?? []
      for required in schema["required"]?.elements ?? [] { #expect(names.contains(required.text ?? "")) }
      #expect(tool["annotations"]?["readOnlyHint"] != nil || tool["annotations"]?["destructiveHint"] != nil)
      #expect((tool["_meta"]?["anthropic/alwaysLoad"] == true) == (tool["name"] == "recall"))
    }
  }
}

@Suite struct `Requests at the same time` {
  /// A server whose store waits until it is let go.
  private func waiting() async throws -> (ServerFixture, GatedMemory) {
    let gated = GatedMemory(try await Memory.inMemory())
    return (try ServerFixture(gated.memory), gated)
  }

  private func show(_ id: JSON, _ token: JSON? = nil) -> JSON {
    var meta = ServerFixture.meta().members ?? [:]
    meta["progressToken"] = token
    return [
      "jsonrpc": "2.0", "id": id, "method": "tools/call",
      "params": ["name": "show", "arguments": ["id": "x"], "_meta": .object(meta)],
    ]
  }

  @Test func `an answer does not wait for one that is slow`() async throws {
    let (fixture, gated) = try await waiting()
    fixture.send(show(1))
    fixture.send(show("1"))
    #expect(try await fixture.modern("tools/list")["result"] != nil)
    #expect(!fixture.sent.contains { $0.contains("no episode") })
    gated.open()
    // A number and a string are two ids.
    _ = try await fixture.message { $0["id"] == 1 }
    _ = try await fixture.message { $0["id"] == "1" }
  }

  @Test func `a request that is cancelled gets no answer, and its id can be used again`() async throws {
    let (fixture, gated) = try await waiting()
    fixture.send(show(7))
    try await gated.waitUntilBegun(1)
    fixture.send(["jsonrpc": "2.0", "method": "notifications/cancelled", "params": ["requestId": 7, "reason": "x"]])
    gated.open()
    fixture.send(show(8))
    _ = try await fixture.message { $0["id"] == 8 }
    #expect(!fixture.sent.contains { $0.contains("\"id\":7") })
    fixture.send(show(7))
    _ = try await fixture.message { $0["id"] == 7 }
    #expect(fixture.sent.count == 2)
  }

  @Test func `an id in use, and more than 64 requests, are refused`() async throws {
    let (fixture, gated) = try await waiting()
    for id in 0..<64 { fixture.send(show(.integer(Int64(id)))) }
    fixture.send(show(3))
    #expect(try await fixture.message { $0["id"] == 3 }["error"]?["code"] == -32600)
    fixture.send(show(64))
    #expect(try await fixture.message { $0["id"] == 64 }["error"]?["code"] == -32000)
    gated.open()
    for id in 4..<64 { _ = try await fixture.message { $0["id"] == .integer(Int64(id)) } }
  }

  @Test func `closing waits for what runs, and cancels what runs too long`() async throws {
    let (fixture, gated) = try await waiting()
    fixture.send(show(1))
    try await gated.waitUntilBegun(1)
    try await fixture.server.close(waiting: .milliseconds(50))
    #expect(!fixture.sent.contains { $0.contains("\"result\"") })
  }

  @Test(arguments: [0, "t"] as [JSON])
  func `progress is told with the token, also with token 0, and only if there is one`(
    _ token: JSON
  ) async throws {
    let fixture = try await ServerFixture()
    _ = try await fixture.structured("record", ["id": "a", "context": "c", "status": "completed"])
    _ = try await fixture.structured("record", ["id": "b", "context": "c", "status": "completed"])
    _ = try await fixture.structured("forget", ["id": "a"])
    #expect(!fixture.sent.contains { $0.contains("notifications/progress") })
    var meta = ServerFixture.meta().members ?? [:]
    meta["progressToken"] = token
    _ = try await fixture.request(
      "tools/call", ["name": "forget", "arguments": ["id": "b"], "_meta": .object(meta)])
    let progress = try fixture.sent.map { try JSON(text: $0) }.filter { $0["method"] == "notifications/progress" }
    #expect(!progress.isEmpty && progress.allSatisfy { $0["params"]?["progressToken"] == token })
    let counts = progress.compactMap { $0["params"]?["progress"]?.number }
    #expect(counts == counts.sorted() && Set(counts).count == counts.count)
  }
}
