import EpisodicMemory
import Foundation
import TestSupport
import Testing

@testable import ContextServerHTTP

@Suite struct `The address to listen on` {
  @Test(
    arguments: [
      ("127.0.0.1:8080", .loopback(.version4("127.0.0.1"), port: 8080)),
      ("127.0.0.2:0", .loopback(.version4("127.0.0.2"), port: 0)),
      ("localhost:65535", .loopback(.version4("127.0.0.1"), port: 65_535)),
      ("[::1]:80", .loopback(.version6, port: 80)),
      ("unix:/a/b.sock", .unixSocket(path: "/a/b.sock")), ("unix:b", .unixSocket(path: "b")),
    ] as [(String, ListeningAddress)]) func `is one of this machine`(_ text: String, _ address: ListeningAddress) throws
  {
    #expect(try ListeningAddress(text) == address)
  }

  @Test(arguments: [
    "0.0.0.0:80", ":80", "[::]:80", "192.168.1.7:80", "example.org:80", "[::ffff:127.0.0.1]:80", "128.0.0.1:80", "*:80",
  ]) func `which others could reach is refused with a way to forward it`(_ text: String) {
    let error = #expect(throws: MemoryError.self) { try ListeningAddress(text) }
    #expect(error?.message.contains("other machines") == true && error?.message.contains("ssh -L") == true)
  }

  @Test(arguments: [
    "", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:8o", "http://127.0.0.1:80",
    "unix:",
    "unix:/", "unix:/a/", "unix:a\u{0}b", "unix:/" + String(repeating: "x", count: 200), "::1:80", "[::1]",
  ]) func `of another form is refused`(_ text: String) {
    #expect(throws: MemoryError.self) { try ListeningAddress(text) }
  }
}

@Suite struct `A listening socket` {
  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: directory.path)
  }

  @Test func `has the port that was chosen, which another cannot have meanwhile`() throws {
    let socket = try ListeningSocket(.loopback(.version4("127.0.0.1"), port: 0))
    defer { close(socket.descriptor) }
    let match = try #require(socket.url("/mcp").wholeMatch(of: /http:\/\/127\.0\.0\.1:(\d+)\/mcp/))
    let port = try #require(UInt16(match.1))
    #expect(port > 0)
    let error = #expect(throws: MemoryError.self) { try ListeningSocket(.loopback(.version4("127.0.0.1"), port: port)) }
    #expect(error?.code == .unavailable && error?.message.contains(":\(port)") == true, "\(error?.message ?? "")")
  }

  @Test func `of a file is this user's alone, and its file goes with it`() throws {
    let path = directory.file("s")
    let socket = try ListeningSocket(.unixSocket(path: path))
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600 && attributes[.type] as? FileAttributeType == .typeSocket)
    #expect(socket.url("/mcp") == "unix:\(path)")
    let error = #expect(throws: MemoryError.self) { try ListeningSocket(.unixSocket(path: path)) }
    #expect(error?.code == .conflict && error?.message.contains("another server") == true)
    close(socket.descriptor)
    socket.removeFile()
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func `takes the place of one whose server was killed, and leaves what is no socket`() throws {
    let path = directory.file("s")
    let dead = try ListeningSocket(.unixSocket(path: path))
    close(dead.descriptor)
    let socket = try ListeningSocket(.unixSocket(path: path))
    defer { close(socket.descriptor) }
    // The first one's end must not remove the file of the second.
    dead.removeFile()
    #expect(FileManager.default.fileExists(atPath: path))
    let file = directory.file("notes")
    try Data("kept".utf8).write(to: URL(filePath: file))
    #expect(throws: MemoryError.self) { try ListeningSocket(.unixSocket(path: file)) }
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "kept")
    #expect(throws: MemoryError.self) { try ListeningSocket(.unixSocket(path: directory.file("none/s"))) }
  }

  @Test(arguments: [0o770, 0o707, 0o777, 0o1777])
  func `stands in no folder in which others could exchange it`(_ mode: Int) throws {
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: directory.path)
    let error = #expect(throws: MemoryError.self) { try ListeningSocket(.unixSocket(path: directory.file("s"))) }
    #expect(error?.code == .invalid && error?.message.contains(directory.path) == true, "\(error?.message ?? "")")
  }
}
