import Episodic
import Foundation
import TestSupport
import Testing

@testable import ContextServer

@Suite struct `Lines that are no messages` {
  @Test(arguments: [
    ("{", -32700), ("{\"jsonrpc\":\"2.0\",\"id\":1,\"meth", -32700), ("nonsense", -32700), ("[]", -32600),
    ("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600), ("1", -32600), ("null", -32600),
    ("{}", -32600), ("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", -32600),
    ("{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", -32600),
    ("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", -32600),
    ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", -32600),
    ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[1]}", -32602),
    ("{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}", -32700),
  ]) func `a line is answered with the error that the protocol has for it`(_ line: String, _ code: Int) async throws {
    let fixture = try await ServerFixture()
    fixture.send(line)
    #expect(try JSON(text: try #require(fixture.sent.first))["error"]?["code"] == .integer(Int64(code)))
    #expect(fixture.sent.count == 1)
    #expect(try await fixture.request("ping")["result"] == [:])
  }

  @Test(arguments: [
    "", "   ", "\r", "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/unheard\",\"params\":3}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{}}",
    "{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{}}", "{\"jsonrpc\":\"2.0\",\"id\":4,\"error\":{}}",
  ]) func `an empty line, a notification and an answer get no answer`(_ line: String) async throws {
    let fixture = try await ServerFixture()
    fixture.send(line)
    #expect(try await fixture.request("ping")["result"] == [:])
    #expect(fixture.sent.count == 1, "\(fixture.sent)")
  }

  @Test func `bytes that are not UTF-8 and a depth of 100,000 are errors of parsing`() async throws {
    let fixture = try await ServerFixture()
    fixture.send(Array("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"p".utf8) + [0xFF, 0x22, 0x7D])
    let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
    fixture.send("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"x\":\(deep)}}")
    fixture.send(String(repeating: "{\"a\":", count: 100_000))
    fixture.send(Message.tooLong)
    #expect(fixture.sent.count == 4)
    for line in fixture.sent {
      let answer = try JSON(text: line)
      #expect(answer["error"]?["code"] == -32700 && answer["id"] == .null, "\(line)")
    }
  }

  @Test func `a text of 10 MB on one line is cut to what a step may have`() async throws {
    let fixture = try await ServerFixture()
    let long = "begin " + String(repeating: "x", count: 10_000_000) + " end"
    let result = try await fixture.structured(
      "record", ["id": "big", "context": "c", "status": "failed", "steps": [["action": "a", "result": .string(long)]]])
    #expect(result["steps_total"] == 1)
    let step = try #require(try await fixture.memory.episode("big")?.steps.first?.result)
    #expect(step.utf8.count <= 1 << 20 && step.hasPrefix("begin") && step.hasSuffix("end"))
    let refused = try await fixture.refusal("record", ["context": .string(long), "status": "failed"])
    #expect(refused.contains("context"), "\(refused)")
  }

  @Test func `an escaped NUL and half of a surrogate pair are replaced and counted`() async throws {
    let fixture = try await ServerFixture()
    let meta = ServerFixture.meta().canonicalText
    fixture.send(
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"_meta\":\(meta),\"name\":\"record\",\"arguments\":"
        + "{\"id\":\"n\",\"status\":\"completed\",\"context\":\"a\\u0000b\\ud800c\"}}}")
    let answer = try await fixture.message { $0["id"] == 1 }
    #expect(answer["result"]?["structuredContent"]?["characters_replaced"] == 2, "\(answer)")
    #expect(try await fixture.memory.episode("n")?.context == "a\u{FFFD}b\u{FFFD}c")
  }

  /// Mutations of whole messages: bytes removed, changed, doubled, and pieces of other messages put in.
  @Test func `after 10,000 malformed lines the server answers, and each line that it sent is a message`() async throws {
    let fixture = try await ServerFixture()
    var random = SeededGenerator(seed: 0x5EED)
    let meta = ServerFixture.meta().canonicalText
    let seeds = [
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-06-18\"}}",
      "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"tools/list\",\"params\":{\"_meta\":\(meta)}}",
      "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"recall\",\"arguments\":{\"text\":\"x y\",\"limit\":3}}}",
      "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"show\",\"arguments\":{\"id\":\"x\",\"steps\":\"1-2\"}}}",
      "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"resources/read\",\"params\":{\"uri\":\"episodic://recent\"}}",
      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":2}}",
    ].map { Array($0.utf8) }
    for _ in 0..<10_000 {
      var line = seeds[Int(random.next() % UInt64(seeds.count))]
      for _ in 0...Int(random.next() % 4) {
        let at = Int(random.next() % UInt64(line.count))
        switch random.next() % 5 {
        case 0: line.remove(at: at)
        case 1: line[at] = UInt8(truncatingIfNeeded: random.next())
        case 2: line.insert(contentsOf: line[at...].prefix(Int(random.next() % 40)), at: at)
        case 3:
          let other = seeds[Int(random.next() % UInt64(seeds.count))]
          line.replaceSubrange(at..., with: other[(at % other.count)...])
        default: line.removeSubrange(at...)
        }
        if line.isEmpty { line = [0x7B] }
      }
      fixture.send(line.filter { $0 != 0x0A })
    }
    #expect(try await fixture.request("ping", [:], id: "the last one")["result"] == [:])
    for line in fixture.sent {
      let message = try JSON(text: line)
      #expect(message["jsonrpc"] == "2.0" && (message["result"] != nil || message["error"] != nil), "\(line)")
      #expect(!line.contains("\n"))
    }
    #expect(fixture.sent.count > 5000)
  }
}

@Suite struct `Lines of standard input` {
  /// Every line of a text, read through a pipe in pieces.
  private func lines(_ text: [UInt8], maximum: Int) throws -> [InputLines.Line] {
    let directory = try TemporaryDirectory()
    let path = directory.file("input")
    try Data(text).write(to: URL(filePath: path))
    let descriptor = open(path, O_RDONLY)
    defer { close(descriptor) }
    var reader = InputLines(descriptor: descriptor, maximumBytes: maximum)
    var lines: [InputLines.Line] = []
    while let line = reader.next() { lines.append(line) }
    return lines
  }

  @Test func `lines are whole, of bounded length, and the last may lack its end`() throws {
    let long = Array(repeating: UInt8(ascii: "x"), count: 200_000)
    var text = Array("a\n\nbc\n".utf8)
    text += long
    text += Array("\nd\n".utf8)
    text += long
    text += Array("\nhalf".utf8)
    let expected: [InputLines.Line] = [
      .whole([0x61]), .whole([]), .whole([0x62, 0x63]), .tooLong, .whole([0x64]), .tooLong, .whole(Array("half".utf8)),
    ]
    #expect(try lines(text, maximum: 100_000) == expected)
    #expect(try lines(long, maximum: 200_000) == [.whole(long)])
    #expect(try lines(long, maximum: 199_999) == [.tooLong])
    #expect(try lines([], maximum: 10) == [])
    #expect(try lines(Array("\n".utf8), maximum: 10) == [.whole([])])
  }
}
