#if HTTPServer
  import Episodic
  import Foundation
  import TestSupport
  import Testing

  @testable import ContextServerHTTP

  /// Requests over a real socket.
  @Suite struct `A server on a socket` {
    private let record = SocketClient.call("record", ["id": "a", "context": "c", "status": "failed"])

    @Test func `one connection serves many requests, and says how each answer ends`() async throws {
      let server = try await SocketServer()
      let client = try server.connect()
      for number in 0..<20 {
        try await client.send(number == 0 ? record : SocketClient.modern("tools/list"))
        let answer = try await client.answer()
        #expect(answer.status == 200 && answer.message?["result"] != nil, "\(answer)")
      }
      #expect(try await server.fixture.memory.episode("a") != nil)
    }

    @Test func `progress comes as events in chunks, and the connection goes on`() async throws {
      let server = try await SocketServer()
      let client = try server.connect()
      try await client.send(record)
      #expect(try await client.answer().status == 200)
      try await client.send(SocketClient.call("forget", ["id": "a"], progressToken: "t"))
      let answer = try await client.answer()
      #expect(answer.head.contains("text/event-stream") && answer.body.contains("notifications/progress"), "\(answer)")
      #expect(answer.body.contains("\"structuredContent\""))
      try await client.send(SocketClient.modern("tools/list"))
      #expect(try await client.answer().status == 200)
    }

    @Test func `a request in pieces, one with chunks, and several at once are each answered in order`() async throws {
      let server = try await SocketServer()
      let client = try server.connect()
      for byte in SocketClient.modern("tools/list") { try await client.send(String(byte)) }
      #expect(try await client.answer().status == 200)
      let (body, fields) = EndpointFixture.modern("prompts/list")
      let chunks = body.utf8.count
      try await client.send(
        SocketClient.text(
          "POST", "/mcp", fields.merging(["Content-Length": nil, "Transfer-Encoding": "chunked"]) { $1 })
          + "\(String(chunks, radix: 16))\r\n\(body)\r\n0\r\n\r\n")
      #expect(try await client.answer().message?["result"]?["prompts"] != nil)
      try await client.send(SocketClient.modern("tools/list") + SocketClient.modern("prompts/list"))
      #expect(try await client.answer().message?["result"]?["tools"] != nil)
      #expect(try await client.answer().message?["result"]?["prompts"] != nil)
    }

    @Test func `a client that asks whether to send its body is told to, or refused without it`() async throws {
      let server = try await SocketServer()
      let (body, fields) = EndpointFixture.modern("tools/list")
      let head = SocketClient.text(
        "POST", "/mcp", fields.merging(["Expect": "100-continue", "Content-Length": "\(body.utf8.count)"]) { $1 })
      let client = try server.connect()
      try await client.send(head)
      #expect(try await client.answer().status == 100)
      try await client.send(body)
      #expect(try await client.answer().status == 200)
      let refused = try await server.ask(
        SocketClient.text("POST", "/mcp", ["Expect": "100-continue", "Authorization": nil, "Content-Length": "9"]))
      #expect(refused.status == 401)
    }

    static let long = String(repeating: "x", count: 70_000)
    static let broken: [String] = [
      "nonsense\r\n\r\n", "GET\r\n\r\n", "\u{0}\u{1}\u{2}\u{3}\r\n\r\n", "\u{16}\u{3}\u{1}\u{0}\u{5}hello\r\n\r\n",
      "POST /mcp HTTP/1.1\r\nHost localhost\r\n\r\n", "POST /mcp HTTP/9.9\r\n\r\n",
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", "POST /mcp HTTP/1.1\r\n\(long): y\r\n\r\n",
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX: \(long)\r\n\r\n",
      "POST /mcp HTTP/1.1\r\n\(String(repeating: "X: y\r\n", count: 200))\r\n",
    ]

    @Test(arguments: broken.indices)
    func `what is no HTTP, or too much of it, ends its connection with 400 at most, and no other`(
      _ index: Int
    ) async throws {
      let server = try await SocketServer()
      let client = try server.connect()
      try await client.send(Self.broken[index])
      let rest = try await client.rest()
      #expect(rest.isEmpty || rest.hasPrefix("HTTP/1.1 400"), "\(rest)")
      #expect(try await server.ask(record).status == 200)
    }

    @Test func `HTTP 1.0, a wrong method, path and token are refused, and the connection is closed`() async throws {
      let server = try await SocketServer()
      let requests = [
        (505, SocketClient.modern("tools/list").replacing("HTTP/1.1", with: "HTTP/1.0")),
        (405, SocketClient.text("GET")), (404, SocketClient.text("POST", "/x")),
        (401, SocketClient.text("POST", "/mcp", ["Authorization": "Bearer x"])),
        (421, SocketClient.text("POST", "/mcp", ["Host": "example.org"])),
        (403, SocketClient.text("POST", "/mcp", ["Origin": "http://example.org"])),
      ]
      for (status, request) in requests {
        let client = try server.connect()
        try await client.send(request)
        let answer = try await client.answer()
        #expect(answer.status == status && answer.head.lowercased().contains("connection: close"), "\(answer)")
        #expect(try await client.rest().isEmpty)
      }
    }

    @Test func `10 MB is taken, and more than 16 MiB refused, also where no length was told`() async throws {
      let server = try await SocketServer()
      let long = JSON.string(String(repeating: "x", count: 10_000_000))
      let taken = try await server.ask(
        SocketClient.call(
          "record", ["id": "big", "context": "c", "status": "failed", "steps": [["action": "a", "result": long]]]))
      #expect(
        taken.status == 200 && taken.message?["result"]?["structuredContent"]?["durable"] == true, "\(taken.head)")
      let told = try server.connect()
      try await told.send(SocketClient.text("POST", "/mcp", ["Content-Length": "16777217"]))
      #expect(try await told.answer().status == 413)
      let untold = try server.connect()
      try await untold.send(SocketClient.text("POST", "/mcp", ["Content-Length": nil, "Transfer-Encoding": "chunked"]))
      let chunk = "100000\r\n" + String(repeating: "x", count: 1 << 20) + "\r\n"
      for _ in 0..<18 { if try await !untold.send(chunk) { break } }
      #expect(try await untold.answer().status == 413)
    }

    @Test func `a slow head, half a request and a client that only connects are not waited for without a bound`()
      async throws
    {
      var limits = ConnectionLimits()
      (limits.firstHead, limits.body) = (.milliseconds(300), .milliseconds(300))
      let server = try await SocketServer(limits: limits)
      let silent = try server.connect()
      let half = try server.connect()
      try await half.send(String(SocketClient.modern("tools/list").dropLast(10)))
      #expect(try await silent.rest().isEmpty)
      #expect(try await half.rest().isEmpty)
      // A byte now and then does not make the time longer.
      let slow = try server.connect()
      var isOpen = true
      for byte in SocketClient.modern("tools/list") where isOpen {
        isOpen = try await slow.send(String(byte))
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(!isOpen)
    }

    @Test func `a client that does not read its answers is not waited for without a bound`() async throws {
      var limits = ConnectionLimits()
      limits.writing = .milliseconds(300)
      let server = try await SocketServer(limits: limits)
      let client = try server.connect()
      let latest = ContinuousClock.now + .seconds(600)
      while try await client.send(SocketClient.modern("tools/list"), patience: .milliseconds(5)) {
        try #require(ContinuousClock.now < latest, "the server does not close the connection")
      }
    }

    @Test func `connections beyond the limit are closed, and one that ends makes room`() async throws {
      var limits = ConnectionLimits()
      limits.connections = 4
      let server = try await SocketServer(limits: limits)
      var clients: [SocketClient] = []
      for _ in 0..<4 {
        let client = try server.connect()
        try await client.send(SocketClient.modern("tools/list"))
        #expect(try await client.answer().status == 200)
        clients.append(client)
      }
      let last = SocketClient.modern("tools/list").replacing("Host:", with: "Connection: close\r\nHost:")
      func isServed() async throws -> Bool {
        let client = try server.connect()
        try await client.send(last)
        return try await client.rest().hasPrefix("HTTP/1.1 200")
      }
      #expect(try await !isServed())
      clients.removeLast()
      let begin = ContinuousClock.now
      while try await !isServed() { try #require(ContinuousClock.now - begin < .seconds(120)) }
    }

    @Test func `many clients at once record what is theirs`() async throws {
      let server = try await SocketServer()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for client in 0..<24 {
          group.addTask {
            let connection = try server.connect()
            for number in 0..<8 {
              let id = "e\(client)-\(number)"
              try await connection.send(
                SocketClient.call("record", ["id": .string(id), "context": "c", "status": "failed"]))
              let answer = try await connection.answer()
              #expect(answer.message?["result"]?["structuredContent"]?["id"] == .string(id), "\(answer)")
            }
          }
        }
        try await group.waitForAll()
      }
      let page = try await server.fixture.memory.episodes(in: .domain("web"), limit: 1000)
      #expect(page.elements.count == 192)
    }

    @Test func `a client that is gone cancels its request`() async throws {
      let gated = GatedMemory(try await Memory.inMemory())
      let server = try await SocketServer(gated.memory)
      do {
        let client = try server.connect()
        try await client.send(SocketClient.call("show", ["id": "x"]))
        try await gated.waitUntilBegun(1)
      }
      try await waitUntil("the request is cancelled") { gated.cancelled == 1 }
      gated.open()
      #expect(try await server.ask(SocketClient.call("show", ["id": "x"])).status == 200)
    }

    @Test func `at its end a server answers what runs, closes what waits, and takes nothing new`() async throws {
      let gated = GatedMemory(try await Memory.inMemory())
      let server = try await SocketServer(gated.memory, patience: .seconds(100))
      let running = try server.connect()
      try await running.send(SocketClient.call("show", ["id": "x"]))
      let waiting = try server.connect()
      try await waiting.send(SocketClient.modern("tools/list"))
      #expect(try await waiting.answer().status == 200)
      try await gated.waitUntilBegun(1)
      server.stop()
      #expect(try await waiting.rest().isEmpty)
      #expect(throws: (any Error).self) { try server.connect() }
      gated.open()
      let answer = try await running.answer()
      #expect(answer.status == 200 && answer.head.lowercased().contains("connection: close"), "\(answer)")
      try await server.wait()
    }

    @Test func `at its end a server does not wait longer than it may for a request that hangs`() async throws {
      let gated = GatedMemory(try await Memory.inMemory())
      let server = try await SocketServer(gated.memory, patience: .milliseconds(100))
      let running = try server.connect()
      try await running.send(SocketClient.call("show", ["id": "x"]))
      try await gated.waitUntilBegun(1)
      server.stop()
      try await server.wait()
      #expect(try await running.rest().isEmpty)
      #expect(gated.cancelled == 1)
    }
  }
#endif
