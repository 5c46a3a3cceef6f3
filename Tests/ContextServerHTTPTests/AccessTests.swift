import Episodic
import Foundation
import TestSupport
import Testing

@testable import ContextServerHTTP

@Suite struct `Who may ask over HTTP` {
  let ping = EndpointFixture.modern("tools/list")

  private func status(_ changes: [String: String?], hasToken: Bool = true) async throws -> EndpointFixture.Answer {
    let fixture = try await EndpointFixture(hasToken: hasToken)
    return await fixture.ask(
      "POST", MCPEndpoint.path, EndpointFixture.fields(ping.fields.merging(changes) { $1 }), body: ping.body)
  }

  @Test(arguments: [
    nil, "", "Bearer", "Bearer ", "Bearer x", "Basic \(EndpointFixture.token)", EndpointFixture.token,
    "Bearer \(EndpointFixture.token)0", "Bearer \(EndpointFixture.token.dropLast())",
    "Bearer  \(EndpointFixture.token)", "Bearer \(EndpointFixture.token.uppercased())",
  ]) func `another token than the server's is answered 401, with the scheme that it wants`(
    _ authorization: String?
  ) async throws {
    let answer = try await status(["Authorization": authorization])
    #expect(answer.status == 401 && answer.fields["WWW-Authenticate"]?.hasPrefix("Bearer") == true, "\(answer)")
    #expect(answer.message?.canonicalText.contains(EndpointFixture.token) == false)
    #expect(answer.message?["id"] == .null)
  }

  @Test func `the token is asked for before anything else is told, and twice is not once`() async throws {
    let fixture = try await EndpointFixture()
    for (method, path) in [("GET", "/mcp"), ("POST", "/"), ("DELETE", "/mcp"), ("PATCH", "/x")] {
      let answer = await fixture.ask(method, path, EndpointFixture.fields(["Authorization": nil]))
      #expect(answer.status == 401, "\(method) \(path)")
    }
    let twice = HeaderFields([
      ("host", "localhost"), ("authorization", "Bearer \(EndpointFixture.token)"),
      ("Authorization", "Bearer \(EndpointFixture.token)"),
    ])
    #expect(await fixture.ask("POST", "/mcp", twice).status == 401)
  }

  @Test(arguments: ["bearer \(EndpointFixture.token)", "BEARER \(EndpointFixture.token)"])
  func `the scheme has no case`(_ authorization: String) async throws {
    #expect(try await status(["Authorization": authorization]).status == 200)
  }

  @Test func `without a token, on a Unix socket, nobody needs one`() async throws {
    #expect(try await status(["Authorization": nil], hasToken: false).status == 200)
  }

  @Test(arguments: [
    "http://localhost", "http://localhost:3000", "https://127.0.0.1:1", "http://[::1]:8080", "http://127.9.9.9",
  ]) func `a page of this machine may ask`(_ origin: String) async throws {
    #expect(try await status(["Origin": origin]).status == 200)
  }

  @Test(arguments: [
    "null", "", "http://example.org", "http://localhost.example.org", "http://127.0.0.1.example.org",
    "http://example.org/http://localhost", "file://", "localhost", "http://localhost@example.org", "http://128.0.0.1",
    "http://[::2]", "http://localhost:99999999", "chrome-extension://abc", "http://localhost/x", "http://",
  ]) func `any other origin is answered 403`(_ origin: String) async throws {
    #expect(try await status(["Origin": origin]).status == 403)
  }

  @Test(arguments: [
    "localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:99", "[0:0:0:0:0:0:0:1]:1",
  ])
  func `a name of this machine is the server's`(_ host: String) async throws {
    #expect(try await status(["Host": host]).status == 200)
  }

  @Test(arguments: [
    nil, "", "rebound.example.org", "localhost.example.org:80", "127.0.0.1.nip.io", "0.0.0.0", "10.0.0.1", "[::]",
    "localhost:", "localhost:x", "localhost, example.org", "::1", "[fe80::1]", "2130706433", "127.1",
  ]) func `another name, which a page may have let point here, is answered 421`(_ host: String?) async throws {
    #expect(try await status(["Host": host]).status == 421)
  }
}

@Suite struct `The token of clients` {
  let directory: TemporaryDirectory
  init() throws { directory = try TemporaryDirectory() }

  private func file(_ content: String, mode: Int = 0o600) throws -> String {
    let path = directory.file(UUID().uuidString)
    try Data(content.utf8).write(to: URL(filePath: path))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    return path
  }

  @Test func `it is read from a file that only its owner can read`() throws {
    let text = "abcdefghijklmnopqrstuvwxyz-._~+/="
    let token = try BearerToken.file(try file("  \(text)\n"))
    #expect(token.matches(text) && !token.matches(text + " ") && !token.matches(text.dropLast() + "0"))
    #expect("\(token)" == "BearerToken" && !String(reflecting: token).contains("abc"))
    for mode in [0o640, 0o604, 0o660, 0o602] {
      let path = try file(text, mode: mode)
      let error = #expect(throws: MemoryError.self) { try BearerToken.file(path) }
      #expect(error?.code == .invalid && error?.message.contains(path) == true, "\(mode)")
      #expect(error?.message.contains("abcdef") == false)
    }
    #expect(throws: MemoryError.self) { try BearerToken.file(directory.file("none")) }
    #expect(throws: MemoryError.self) { try BearerToken.file(directory.path) }
  }

  @Test(arguments: [
    "", "short", String(repeating: "a", count: 31), String(repeating: "a", count: 513),
    String(repeating: "a", count: 40) + " b", String(repeating: "ä", count: 40), String(repeating: "a\u{0}", count: 40),
    String(repeating: "a", count: 5000),
  ]) func `what no header may have, or what could be guessed, is refused without being shown`(_ text: String) throws {
    let error = #expect(throws: MemoryError.self) { try BearerToken.file(try file(text)) }
    #expect(error?.message.contains("aaaa") == false)
  }

  @Test func `a missing file is made once, with mode 0600 and a token of 256 bits`() async throws {
    let path = directory.file("mcp-token")
    let tokens = try await withThrowingTaskGroup(of: String?.self, returning: Set<String>.self) { group in
      for _ in 0..<8 {
        group.addTask {
          do {
            _ = try BearerToken.fileOrNew(path)
            return try String(contentsOfFile: path, encoding: .utf8)
          } catch let error as MemoryError where error.code == .unavailable {
            // Another one is making it.
            return nil
          }
        }
      }
      return try await group.reduce(into: Set<String>()) { if let text = $1 { $0.insert(text) } }
    }
    let text = try #require(tokens.first)
    #expect(tokens.count == 1 && text.wholeMatch(of: /[0-9a-f]{64}\n/) != nil)
    #expect(try BearerToken.fileOrNew(path).matches(text.dropLast()))
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(!BearerToken.random().matches(text.dropLast()))
  }
}
