#if HTTPServer
  import ContextServer
  import EpisodicMemory
  import Foundation
  import Synchronization
  import TestSupport
  import Testing

  @testable import ContextServerHTTP

  /// A server on a Unix socket, in this process.
  final class SocketServer: Sendable {
    let fixture: EndpointFixture
    private let directory: TemporaryDirectory
    private let end: AsyncStream<Void>.Continuation
    private let serving: Task<Void, any Error>

    private var path: String { directory.file("s") }

    init(
      _ memory: Memory? = nil, patience: Duration = .seconds(5), limits: ConnectionLimits = ConnectionLimits()
    ) async throws {
      let directory = try TemporaryDirectory()
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: directory.path)
      let fixture = try await EndpointFixture(memory)
      let socket = try ListeningSocket(.unixSocket(path: directory.file("s")))
      let (ended, end) = AsyncStream<Void>.makeStream()
      (self.directory, self.fixture, self.end) = (directory, fixture, end)
      serving = Task {
        try await HTTPListener(fixture.endpoint, limits).serve(socket, patience: patience) { for await _ in ended {} }
      }
    }

    deinit { end.finish() }

    /// Asks the server to end.
    func stop() { end.finish() }

    /// Waits until it has ended.
    func wait() async throws { try await serving.value }

    func connect() throws -> SocketClient { try SocketClient(path) }

    /// One request on a connection of its own.
    func ask(_ request: String) async throws -> SocketClient.Answer {
      let client = try connect()
      try await client.send(request)
      return try await client.answer()
    }
  }

  /// A client that writes what it wants, byte by byte.
  final class SocketClient: Sendable {
    /// Longer than any answer takes on a busy machine.
    private static let patience = Duration.seconds(120)

    private let descriptor: Int32
    private let unread = Mutex<[UInt8]>([])

    init(_ path: String) throws {
      // A write to a connection that the server has closed is an error, and ends no process.
      signal(SIGPIPE, SIG_IGN)
      #if canImport(Darwin)
        descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
      #else
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      #endif
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
      let result = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      guard result == 0 else { throw CannotConnect(path: path, reason: String(cString: strerror(errno))) }
      _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit { close(descriptor) }

    struct CannotConnect: Error {
      let path: String
      let reason: String
    }

    struct Answer {
      let status: Int
      let head: String
      let body: String

      var message: JSON? { try? JSON(text: body) }
    }

    /// Writes, as long as the server takes it.
    ///
    /// - Returns: Whether the connection is open.
    @discardableResult
    func send(_ text: String, patience: Duration? = nil) async throws -> Bool {
      let bytes = Array(text.utf8)
      var done = 0
      let begin = ContinuousClock.now
      while done < bytes.count {
        let written = bytes[done...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if written >= 0 {
          done += written
        } else if errno == EAGAIN {
          if let patience, ContinuousClock.now - begin > patience { return true }
          try #require(ContinuousClock.now - begin < Self.patience)
          // Not a blocked thread: the server needs it.
          try await Task.sleep(for: .milliseconds(1))
        } else {
          return false
        }
      }
      return true
    }

    /// The next answer, whole.
    func answer() async throws -> Answer {
      let text = try await read { text in
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        let head = text[..<end.upperBound]
        if let length = head.firstMatch(of: /(?i)content-length: (\d+)/).flatMap({ Int($0.1) }) {
          let whole = head.utf8.count + length
          return text.utf8.count >= whole ? whole : nil
        }
        if text.hasPrefix("HTTP/1.1 1") || text.hasPrefix("HTTP/1.1 204") { return head.utf8.count }
        return text.hasSuffix("0\r\n\r\n") ? text.utf8.count : nil
      }
      let head = try #require(text.range(of: "\r\n\r\n"), "no answer: \(text)")
      return Answer(
        status: Int(text.split(separator: " ")[1]) ?? 0, head: String(text[..<head.lowerBound]),
        body: String(text[head.upperBound...]))
    }

    /// Waits until the server closes the connection, and returns what it sent before.
    func rest() async throws -> String { try await read { _ in nil } }

    /// Reads until `whole` has the number of bytes that are wanted, or up to the end.
    private func read(until whole: (String) -> Int?) async throws -> String {
      let begin = ContinuousClock.now
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let bytes = unread.withLock { $0 }
        if let count = whole(String(decoding: bytes, as: UTF8.self)) {
          unread.withLock { $0.removeFirst(count) }
          return String(decoding: bytes[..<count], as: UTF8.self)
        }
        let got = Foundation.read(descriptor, &buffer, buffer.count)
        if got > 0 {
          unread.withLock { $0 += buffer[..<got] }
        } else if got == 0 || errno != EAGAIN {
          return String(decoding: bytes, as: UTF8.self)
        } else {
          try #require(ContinuousClock.now - begin < Self.patience, "the server neither answers nor closes")
          try await Task.sleep(for: .milliseconds(2))
        }
      }
    }

    // MARK: Requests

    /// The text of a request; `nil` leaves a field out.
    static func text(
      _ method: String = "POST", _ path: String = "/mcp", _ changes: [String: String?] = [:], body: String = ""
    ) -> String {
      var fields: [String: String] = [
        "Host": "localhost", "Authorization": "Bearer \(EndpointFixture.token)", "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream", "Content-Length": "\(body.utf8.count)",
      ]
      for (name, value) in changes { fields[name] = value }
      return "\(method) \(path) HTTP/1.1\r\n" + fields.map { "\($0): \($1)\r\n" }.joined() + "\r\n" + body
    }

    static func modern(_ method: String, _ parameters: JSON.Object = [:], progressToken: JSON? = nil) -> String {
      let (body, fields) = EndpointFixture.modern(method, parameters, progressToken: progressToken)
      return text("POST", "/mcp", fields, body: body)
    }

    static func call(_ tool: String, _ arguments: JSON, progressToken: JSON? = nil) -> String {
      modern("tools/call", ["name": .string(tool), "arguments": arguments], progressToken: progressToken)
    }
  }
#endif
