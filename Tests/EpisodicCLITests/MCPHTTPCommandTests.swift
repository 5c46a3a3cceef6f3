#if HTTPServer
  import EpisodicMemory
  import Foundation
  import TestSupport
  import Testing

  /// The built command as a server of HTTP.
  @Suite struct `episodic mcp --http` {
    let episodic: CommandLineTool
    private let directory: TemporaryDirectory

    init() throws {
      episodic = try CommandLineTool()
      directory = try TemporaryDirectory()
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: directory.path)
    }

    private var tokenFile: String { episodic.store + "/mcp-token" }

    /// Starts a server and waits until it listens.
    private func serve(
      _ address: String, _ options: [String] = [], token: String? = nil
    ) async throws -> (server: Child, place: String) {
      var environment = ProcessInfo.processInfo.environment
      environment["EPISODIC_STORE"] = episodic.store
      environment["EPISODIC_MCP_TOKEN"] = token
      let server = try Child(
        running: Child.products.appending(path: "episodic").path(percentEncoded: false),
        ["mcp", "--http", address, "--domain", "web"] + options, environment: environment, in: directory)
      try await server.waitForLines(1)
      return (server, try server.lines[0])
    }

    /// Ends it as a supervisor would, and expects that it ends well.
    private func stop(_ server: Child, _ signal: Int32 = SIGTERM) throws {
      kill(server.process, signal)
      let (status, errors) = (server.wait(), try server.standardError)
      #expect(status == 0, "\(errors)")
    }

    private struct Answer {
      let status: String
      let body: String
    }

    /// Sends a request of the modern era by curl.
    private func ask(_ place: String, _ method: String = "tools/list", token: String? = nil) throws -> Answer {
      let meta = """
        "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}
        """
      let target =
        place.hasPrefix("unix:")
        ? ["--unix-socket", String(place.dropFirst(5)), "http://localhost/mcp"] : [place]
      let fields = [
        "Content-Type: application/json", "Accept: application/json, text/event-stream",
        "MCP-Protocol-Version: 2026-07-28", "Mcp-Method: \(method)",
      ]
      let curl = try Child(
        running: "/usr/bin/env",
        ["curl", "-sS", "--max-time", "120", "-w", "\n%{http_code}"]
          + (fields + (token.map { ["Authorization: Bearer \($0)"] } ?? [])).flatMap { ["-H", $0] }
          + ["-d", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\(method)\",\"params\":{\(meta)}}"] + target,
        in: directory)
      curl.wait()
      let output = try curl.standardOutput
      let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
      return Answer(status: lines.last.map(String.init) ?? "", body: lines.dropLast().joined(separator: "\n"))
    }

    @Test func `a Unix socket of mode 0600 needs no token, and goes with the server`() async throws {
      let path = directory.file("s")
      let (server, place) = try await serve("unix:\(path)")
      #expect(place == "unix:\(path)")
      let answer = try ask(place)
      #expect(answer.status == "200" && answer.body.contains("recall"), "\(answer)")
      #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
      #expect(!FileManager.default.fileExists(atPath: tokenFile))
      try stop(server, SIGINT)
      #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `on an address a token is made and kept, and asked for`() async throws {
      let (server, place) = try await serve("127.0.0.1:0")
      #expect(place.wholeMatch(of: /http:\/\/127\.0\.0\.1:[1-9]\d*\/mcp/) != nil, "\(place)")
      let token = try String(contentsOfFile: tokenFile, encoding: .utf8).trimmingCharacters(in: .newlines)
      #expect(try FileManager.default.attributesOfItem(atPath: tokenFile)[.posixPermissions] as? Int == 0o600)
      #expect(try ask(place).status == "401")
      #expect(try ask(place, token: String(token.reversed())).status == "401")
      #expect(try ask(place, token: token).status == "200")
      #expect(try ask(place, "ping", token: token).status == "404")
      try stop(server)
      let output = try server.standardOutput + server.standardError
      #expect(!output.contains(token) && output.contains(tokenFile), "\(output)")
      // The next server has the same one, which clients have in their settings.
      let (second, _) = try await serve("127.0.0.1:0")
      #expect(try String(contentsOfFile: tokenFile, encoding: .utf8).hasPrefix(token))
      try stop(second, SIGHUP)
    }

    @Test func `a token of the environment or of a file is taken, and one that others can read is not`() async throws {
      let token = String(repeating: "t0", count: 20)
      let file = try episodic.file("token", token)
      chmod(file, 0o600)
      for (options, variable) in [(["--token-file", file], nil), ([], token)] as [([String], String?)] {
        let (server, place) = try await serve("[::1]:0", options, token: variable)
        #expect(try ask(place).status == "401")
        #expect(try ask(place, token: token).status == "200")
        try stop(server)
      }
      #expect(!FileManager.default.fileExists(atPath: tokenFile))
      chmod(file, 0o644)
      let refused = try episodic("mcp", "--http", "127.0.0.1:0", "--token-file", file)
      #expect(refused.status == 2 && refused.errors.contains("0600") && !refused.errors.contains(token), "\(refused)")
    }

    /// Killed in the midst of recording and asked again: nothing is lost, and nothing is there twice.
    @Test(.timeLimit(.minutes(5)))
    func `a client that dies in the middle of a record, and retries it, records it once`()
      async throws
    {
      let (server, place) = try await serve("unix:\(directory.file("s"))")
      let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "http_recorder.py")
      for round in 0..<8 {
        let arguments = ["python3", script.path(percentEncoded: false), String(place.dropFirst(5)), "r\(round)"]
        let dying = try Child(running: "/usr/bin/env", arguments, in: directory)
        usleep(UInt32(round) * 20_000)
        dying.kill()
        let retrying = try Child(running: "/usr/bin/env", arguments, in: directory)
        let (status, errors) = (retrying.wait(), try retrying.standardError)
        #expect(status == 0, "\(errors)")
        let shown = try episodic("show", "r\(round)", "--json").json
        #expect((shown?["steps"] as? [Any])?.count == 50 && shown?["status"] as? String == "completed")
      }
      try stop(server)
      #expect(try episodic("check", "--json").status == 0)
    }

    @Test(.timeLimit(.minutes(5))) func `asked to end under load, it ends, and what it has acknowledged is there`()
      async throws
    {
      let (server, place) = try await serve("unix:\(directory.file("s"))")
      let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "http_recorder.py")
      let clients = try (0..<4).map { client in
        try Child(
          running: "/usr/bin/env",
          ["python3", script.path(percentEncoded: false), String(place.dropFirst(5)), "c\(client)", "1000"],
          in: directory)
      }
      try await clients[0].waitForLines(3)
      try stop(server)
      for client in clients { client.wait() }
      let acknowledged = try clients.flatMap { try $0.lines }
      let exported = try episodic("export").output
      #expect(acknowledged.count >= 3 && acknowledged.allSatisfy { exported.contains("\"\($0)\"") }, "\(acknowledged)")
      #expect(try episodic("check", "--json").status == 0)
    }

    // MARK: Other clients

    private func converse(_ python: String, _ mode: String) async throws {
      for address in ["127.0.0.1:0", "unix:\(directory.file("s"))"] {
        let (server, place) = try await serve(address)
        try PythonClient.converse(python, mode, place, place.hasPrefix("unix:") ? "" : tokenFile)
        try stop(server)
        // The next one records the same attempt, which was erased.
        try FileManager.default.removeItem(atPath: episodic.store)
      }
    }

    @Test(
      .enabled(
        if: PythonClient.path("EPISODIC_MCP2_PYTHON", 2) != nil,
        "skipped: no Python with mcp 2.x; name one in EPISODIC_MCP2_PYTHON"),
      arguments: ["auto", "legacy", "2026-07-28"])
    func `the client mcp 2 for Python works in its three modes`(_ mode: String) async throws {
      try await converse(try #require(PythonClient.path("EPISODIC_MCP2_PYTHON", 2)), mode)
    }

    @Test(
      .enabled(
        if: PythonClient.path("EPISODIC_MCP1_PYTHON", 1) != nil,
        "skipped: no Python with mcp 1.x; name one in EPISODIC_MCP1_PYTHON"))
    func `the client mcp 1 for Python works`() async throws {
      try await converse(try #require(PythonClient.path("EPISODIC_MCP1_PYTHON", 1)), "session")
    }
  }
#endif
