import ContextServer
import Episodic
import Foundation
import TestSupport
import Testing

@testable import ContextServerHTTP

@Suite struct `Requests of HTTP` {
  private func ask(_ changes: [String: String?], _ body: String? = nil) async throws -> EndpointFixture.Answer {
    let request = EndpointFixture.modern("tools/list")
    return await (try EndpointFixture()).ask(
      "POST", MCPEndpoint.path, EndpointFixture.fields(request.fields.merging(changes) { $1 }),
      body: body ?? request.body)
  }

  @Test(arguments: ["GET", "PUT", "OPTIONS", "HEAD", "post", "TRACE"])
  func `other methods than POST and DELETE are answered 405 with those there are`(_ method: String) async throws {
    let answer = await (try EndpointFixture()).ask(method)
    #expect(answer.status == 405 && answer.fields["Allow"] == "POST, DELETE")
  }

  @Test(arguments: ["/", "/mcp/", "/MCP", "/mcp2", "mcp", "", "/%6dcp", "//mcp", "http://localhost/mcp"])
  func `there is nothing at another path`(_ path: String) async throws {
    #expect(await (try EndpointFixture()).ask("POST", path).status == 404)
  }

  @Test func `a query changes nothing`() async throws {
    let request = EndpointFixture.modern("tools/list")
    let answer = await (try EndpointFixture()).ask(
      "POST", "/mcp?a=b", EndpointFixture.fields(request.fields), body: request.body)
    #expect(answer.status == 200)
  }

  @Test(
    arguments: [
      ("application/json", 200), ("Application/JSON; charset=UTF-8", 200), ("application/json;charset=\"utf-8\"", 200),
      ("application/json; profile=x", 200), (nil, 415), ("text/plain", 415), ("application/json; charset=latin1", 415),
      ("application/jsonp", 415), ("application/x-www-form-urlencoded", 415),
    ] as [(String?, Int)]) func `a body is JSON in UTF-8`(_ type: String?, _ status: Int) async throws
  {
    #expect(try await ask(["Content-Type": type]).status == status)
  }

  @Test func `a compressed body is refused`() async throws {
    #expect(try await ask(["Content-Encoding": "gzip"]).status == 415)
    #expect(try await ask(["Content-Encoding": "identity"]).status == 200)
  }

  @Test(
    arguments: [
      ("application/json, text/event-stream", 200), ("text/event-stream;q=0.9,application/json", 200), ("*/*", 200),
      ("application/*, text/*", 200), (nil, 200), ("application/json", 406), ("text/event-stream", 406),
      ("text/html", 406),
    ] as [(String?, Int)]) func `both forms of an answer must be accepted`(_ accept: String?, _ status: Int)
    async throws
  {
    #expect(try await ask(["Accept": accept]).status == status)
  }

  @Test(arguments: [("16777216", 200), ("16777217", 413), ("-1", 413), ("99999999999999999999", 413), ("x", 413)])
  func `a body longer than a message may be is refused before it is read`(_ length: String, _ status: Int) async throws
  {
    #expect(try await ask(["Content-Length": length]).status == status)
  }

  @Test(arguments: [
    ("", 400), ("   ", 400), ("{", 400), ("[]", 400), ("7", 400), ("{\"jsonrpc\":\"2.0\",\"id\":1}", 400),
    ("{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":3}", 400), (String(repeating: "[", count: 100_000), 400),
    ("{\"a\":" + String(repeating: "[", count: 100_000), 400),
  ]) func `what is no message is answered 400 with an error of the protocol`(_ body: String, _ status: Int) async throws
  {
    let answer = try await ask([:], body)
    #expect(answer.status == status && answer.message?["error"]?["code"] != nil, "\(answer)")
  }

  /// Heads and bodies with what a fuzzer would put there.
  @Test func `10,000 requests with broken fields and bodies are each answered with a status of a client's error`()
    async throws
  {
    let fixture = try await EndpointFixture()
    var random = SeededGenerator(seed: 0x4177)
    let pieces = [
      "\u{0}", "\r\n", "🦊", "=?base64?", "?=", ",", ";", "{", "\"", "2026-07-28", "2025-06-18", "tools/call",
    ]
    for round in 0..<10_000 {
      let request = EndpointFixture.modern("tools/call", ["name": "show", "arguments": ["id": "x"]])
      var fields = request.fields
      var body = Array(request.body)
      if round % 2 == 0, let name = fields.keys.sorted().randomElement(using: &random) {
        let piece = pieces.randomElement(using: &random) ?? ""
        fields[name] = random.next() % 3 == 0 ? nil : (fields[name] ?? "").map { $0 + piece }
      } else {
        let at = Int(random.next() % UInt64(body.count))
        body.replaceSubrange(at..., with: pieces.randomElement(using: &random) ?? "")
      }
      let answer = await fixture.ask("POST", "/mcp", EndpointFixture.fields(fields), body: String(body))
      #expect([200, 400, 404].contains(answer.status), "\(fields) \(String(body)): \(answer)")
    }
    #expect(await fixture.modern("tools/list").status == 200)
  }
}

@Suite struct `The modern era over HTTP` {
  @Test func `a request stands alone and has no session`() async throws {
    let fixture = try await EndpointFixture()
    let answer = await fixture.call("record", ["id": "a", "context": "c", "status": "failed"])
    #expect(answer.status == 200 && !answer.isStream && answer.session == nil, "\(answer)")
    #expect(answer.message?["result"]?["structuredContent"]?["durable"] == true, "\(answer)")
    #expect(try await fixture.memory.episode("a")?.provenance.actor == "claude-code")
    // Of another client that counts its ids from 1, too, and says a session of its own, which means nothing.
    let request = EndpointFixture.modern("tools/list")
    let other = await fixture.ask(
      "POST", "/mcp", EndpointFixture.fields(request.fields.merging(["Mcp-Session-Id": "x"]) { $1 }), body: request.body
    )
    #expect(other.status == 200 && other.message?["result"]?["resultType"] == "complete")
  }

  @Test func `progress that was asked for comes as a stream that ends with the answer`() async throws {
    let fixture = try await EndpointFixture()
    for id in ["a", "b"] { _ = await fixture.call("record", ["id": .string(id), "context": "c", "status": "failed"]) }
    let quiet = await fixture.call("forget", ["id": "a"])
    #expect(!quiet.isStream && quiet.messages.count == 1)
    let answer = await fixture.call("forget", ["id": "b"], progressToken: 0)
    #expect(answer.isStream && answer.fields["Content-Type"] == "text/event-stream", "\(answer)")
    #expect(answer.messages.count > 1)
    #expect(answer.messages.dropLast().allSatisfy { $0["params"]?["progressToken"] == 0 })
    #expect(answer.message?["id"] == 1 && answer.message?["result"] != nil)
    #expect(Response.event(["a": "b\nc"]) == "event: message\ndata: {\"a\":\"b\\nc\"}\n\n")
  }

  @Test(
    arguments: [
      (["MCP-Protocol-Version": nil], -32020), (["MCP-Protocol-Version": "2025-06-18"], -32020),
      (["MCP-Protocol-Version": "2031-01-01"], -32020), (["Mcp-Method": nil], -32020),
      (["Mcp-Method": "tools/list"], -32020), (["Mcp-Method": "TOOLS/CALL"], -32020), (["Mcp-Name": nil], -32020),
      (["Mcp-Name": "forget"], -32020), (["Mcp-Name": "=?base64?!?="], -32020),
      (["Mcp-Name": "=?base64?\(Data([0xFF]).base64EncodedString())?="], -32020),
      (["Mcp-Name": "=?base64?\(Data("forget".utf8).base64EncodedString())?="], -32020),
    ] as [([String: String?], Int64)]) func `headers that differ from the message are refused`(
      _ changes: [String: String?], _ code: Int64
    ) async throws
  {
    let request = EndpointFixture.modern("tools/call", ["name": "show", "arguments": ["id": "x"]], id: "i")
    let answer = await (try EndpointFixture()).ask(
      "POST", "/mcp", EndpointFixture.fields(request.fields.merging(changes) { $1 }), body: request.body)
    #expect(answer.status == 400 && answer.message?["error"]?["code"] == .integer(code), "\(answer)")
    #expect(answer.message?["id"] == "i")
  }

  @Test func `a name may be in Base64, and need not be plain ASCII`() async throws {
    let fixture = try await EndpointFixture()
    for uri in ["episodic://recent", "episodic://épisode"] {
      var request = EndpointFixture.modern("resources/read", ["uri": .string(uri)])
      request.fields["Mcp-Name"] = "=?base64?\(Data(uri.utf8).base64EncodedString())?="
      let answer = await fixture.ask("POST", "/mcp", EndpointFixture.fields(request.fields), body: request.body)
      #expect(answer.message?["error"]?["code"] != -32020, "\(answer)")
      #expect((answer.message?["result"] != nil) == (uri == "episodic://recent"))
    }
  }

  @Test func `errors of the protocol have the statuses that the revision gives them`() async throws {
    let fixture = try await EndpointFixture()
    func statusAndCode(_ method: String, _ parameters: JSON.Object = [:]) async -> [JSON?] {
      let answer = await fixture.modern(method, parameters)
      return [.integer(Int64(answer.status)), answer.message?["error"]?["code"]]
    }
    #expect(await statusAndCode("ping") == [404, -32601])
    #expect(await statusAndCode("subscriptions/listen") == [404, -32601])
    #expect(await statusAndCode("tools/call", ["name": "rekall"]) == [400, -32602])
    #expect(await statusAndCode("tools/call") == [400, -32602])
    // What a model can correct is a result.
    #expect(await fixture.call("recall", ["limit": 5]).status == 200)
  }

  @Test func `an unknown revision is refused with those that there are, whatever the era`() async throws {
    let fixture = try await EndpointFixture()
    var request = EndpointFixture.modern("tools/list")
    request.fields["MCP-Protocol-Version"] = "2031-01-01"
    request.body = request.body.replacing("2026-07-28", with: "2031-01-01")
    let bodies = [request.body, EndpointFixture.request("tools/list").canonicalText]
    for body in bodies {
      let answer = await fixture.ask("POST", "/mcp", EndpointFixture.fields(request.fields), body: body)
      #expect(answer.status == 400 && answer.message?["error"]?["code"] == -32022, "\(answer)")
      #expect(answer.message?["error"]?["data"]?["requested"] == "2031-01-01")
    }
    // A revision of the modern era with a message of the other one.
    let mixed = await fixture.ask(
      "POST", "/mcp", EndpointFixture.fields(["MCP-Protocol-Version": "2026-07-28"]), body: bodies[1])
    #expect(mixed.status == 400 && mixed.message?["error"]?["code"] == -32020)
  }

  @Test func `a notification is accepted and means nothing`() async throws {
    let answer = await (try EndpointFixture()).ask(
      "POST", "/mcp", EndpointFixture.fields(["MCP-Protocol-Version": "2026-07-28"]),
      body: "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}")
    #expect(answer.status == 202 && answer.messages.isEmpty)
  }

  @Test func `a client that goes away cancels its request, and those of others with the same id run on`() async throws {
    let gate = GatedMemory(try await Memory.inMemory())
    let fixture = try await EndpointFixture(gate.memory)
    let leaving = Task { await fixture.call("show", ["id": "x"]) }
    try await gate.waitUntilBegun(1)
    let staying = Task { await fixture.call("show", ["id": "x"]) }
    try await gate.waitUntilBegun(2)
    leaving.cancel()
    #expect(await leaving.value.messages.isEmpty)
    try await waitUntil("the request is cancelled") { gate.cancelled == 1 }
    gate.open()
    #expect(await staying.value.message?["result"]?["isError"] == true)
    #expect(gate.cancelled == 1)
  }
}

@Suite struct `The era of sessions over HTTP` {
  @Test(arguments: ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
  func `initialize begins a session, which has the client's name`(_ revision: String) async throws {
    let fixture = try await EndpointFixture()
    let opening = await fixture.initialize(revision, client: "client of \(revision)")
    let session = try #require(opening.session)
    #expect(opening.status == 200 && opening.message?["result"]?["protocolVersion"] == .string(revision))
    #expect(session.utf8.allSatisfy { (0x21...0x7E).contains($0) } && session.utf8.count >= 32)
    let other = await fixture.initialize(revision, client: "other")
    #expect(other.session != session)
    let noted = await fixture.ask(
      "POST", "/mcp", EndpointFixture.fields(["Mcp-Session-Id": session, "MCP-Protocol-Version": revision]),
      body: "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}")
    #expect(noted.status == 202)
    let recorded = await fixture.legacy(
      "tools/call", ["name": "record", "arguments": ["id": "a", "context": "c", "status": "failed"]], session: session)
    #expect(recorded.message?["result"]?["structuredContent"]?["durable"] == true, "\(recorded)")
    #expect(try await fixture.memory.episode("a")?.provenance.actor == "client of \(revision)")
  }

  @Test func `errors of the protocol are answered with 200, as clients of that era expect`() async throws {
    let fixture = try await EndpointFixture()
    let session = await fixture.initialize().session
    for (method, code) in [("toolz/list", -32601), ("tools/call", -32602)] as [(String, Int64)] {
      let answer = await fixture.legacy(method, session: session)
      #expect(answer.status == 200 && answer.message?["error"]?["code"] == .integer(code), "\(answer)")
    }
    let wrong = await fixture.legacy("initialize", [:], session: nil)
    #expect(wrong.status == 200 && wrong.session == nil && wrong.message?["error"]?["code"] == -32602)
  }

  @Test func `a missing session is answered 400, an unknown or ended one 404`() async throws {
    let fixture = try await EndpointFixture()
    #expect(await fixture.legacy("tools/list", session: nil).status == 400)
    #expect(await fixture.legacy("tools/list", session: "unknown").status == 404)
    let session = await fixture.initialize().session
    let fields = EndpointFixture.fields(["Mcp-Session-Id": session, "Content-Type": nil, "Accept": nil])
    #expect(await fixture.legacy("tools/list", session: session).status == 200)
    #expect(await fixture.ask("DELETE", "/mcp", fields).status == 204)
    #expect(await fixture.ask("DELETE", "/mcp", fields).status == 404)
    #expect(await fixture.ask("DELETE", "/mcp", EndpointFixture.fields()).status == 400)
    #expect(await fixture.legacy("tools/list", session: session).status == 404)
    let notification = await fixture.ask(
      "POST", "/mcp", EndpointFixture.fields(["Mcp-Session-Id": session]),
      body: "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}")
    #expect(notification.status == 404)
  }

  @Test func `a session ends after an hour without a request, and not before`() async throws {
    let fixture = try await EndpointFixture()
    let session = await fixture.initialize().session
    for _ in 0..<3 {
      fixture.clock.advance(by: .seconds(3599))
      #expect(await fixture.legacy("ping", session: session).status == 200)
    }
    fixture.clock.advance(by: .seconds(3600))
    #expect(await fixture.legacy("ping", session: session).status == 404)
  }

  @Test func `of more than 256 sessions the one that was idle longest ends`() async throws {
    let fixture = try await EndpointFixture()
    var sessions: [String] = []
    for _ in 0..<256 {
      fixture.clock.advance(by: .seconds(1))
      sessions.append(try #require(await fixture.initialize().session))
    }
    #expect(await fixture.legacy("ping", session: sessions[0]).status == 200)
    fixture.clock.advance(by: .seconds(1))
    _ = await fixture.initialize()
    #expect(await fixture.legacy("ping", session: sessions[1]).status == 404)
    #expect(await fixture.legacy("ping", session: sessions[0]).status == 200)
    #expect(await fixture.legacy("ping", session: sessions[2]).status == 200)
  }

  @Test func `a request is cancelled by its session alone, and its stream ends without an answer`() async throws {
    let gate = GatedMemory(try await Memory.inMemory())
    let fixture = try await EndpointFixture(gate.memory)
    let sessions = [await fixture.initialize().session, await fixture.initialize().session]
    let calls = sessions.map { session in
      Task { await fixture.legacy("tools/call", ["name": "show", "arguments": ["id": "x"]], id: 7, session: session) }
    }
    try await gate.waitUntilBegun(2)
    let cancelled = await fixture.ask(
      "POST", "/mcp", EndpointFixture.fields(["Mcp-Session-Id": sessions[0]]),
      body: "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":7}}")
    #expect(cancelled.status == 202)
    #expect(await calls[0].value.messages.isEmpty)
    gate.open()
    #expect(await calls[1].value.message?["id"] == 7)
  }

  @Test func `a client that goes away does not cancel its request, since it may only have lost the connection`()
    async throws
  {
    let gate = GatedMemory(try await Memory.inMemory())
    let fixture = try await EndpointFixture(gate.memory)
    let session = await fixture.initialize().session
    let leaving = Task {
      await fixture.legacy("tools/call", ["name": "show", "arguments": ["id": "x"]], session: session)
    }
    try await gate.waitUntilBegun(1)
    leaving.cancel()
    _ = await leaving.value
    gate.open()
    try await gate.waitUntilPassed(1)
    #expect(gate.cancelled == 0)
  }

  @Test func `only the revision that has batches takes one, and answers all that is in it`() async throws {
    let fixture = try await EndpointFixture()
    let requests: [JSON] = [
      EndpointFixture.request("ping", id: 1), ["jsonrpc": "2.0", "method": "notifications/unheard"],
      EndpointFixture.request("tools/call", ["name": "recall", "arguments": ["text": "x"]], id: "r"), 7,
      EndpointFixture.request("initialize", ["protocolVersion": "2025-03-26"], id: 3),
    ]
    for revision in ["2025-03-26", "2025-06-18"] {
      let fields = EndpointFixture.fields(["Mcp-Session-Id": await fixture.initialize(revision).session])
      let answer = await fixture.ask("POST", "/mcp", fields, body: JSON.array(requests).canonicalText)
      guard revision == "2025-03-26" else {
        #expect(answer.status == 400 && answer.message?["error"]?["code"] == -32600)
        continue
      }
      #expect(answer.status == 200 && answer.isStream && answer.messages.count == 4, "\(answer)")
      #expect(answer.messages.contains { $0["id"] == "r" && $0["result"] != nil })
      #expect(answer.messages.contains { $0["id"] == 3 && $0["error"]?["code"] == -32600 })
      #expect(answer.messages.contains { $0["id"] == .null && $0["error"]?["code"] == -32600 })
      let quiet = await fixture.ask("POST", "/mcp", fields, body: JSON.array([requests[1]]).canonicalText)
      #expect(quiet.status == 202)
      for count in [0, 65] {
        let body = JSON.array(Array(repeating: requests[1], count: count)).canonicalText
        #expect(await fixture.ask("POST", "/mcp", fields, body: body).status == 400, "\(count)")
      }
    }
  }

  @Test func `a revision in the header must be one of those there are`() async throws {
    let fixture = try await EndpointFixture()
    let session = await fixture.initialize().session
    for (version, status) in [("2025-06-18", 200), ("2025-11-25", 200), ("1999-01-01", 400), ("", 400)] {
      let answer = await fixture.ask(
        "POST", "/mcp", EndpointFixture.fields(["Mcp-Session-Id": session, "MCP-Protocol-Version": version]),
        body: EndpointFixture.request("ping").canonicalText)
      #expect(answer.status == status, "\(version): \(answer)")
    }
  }
}
