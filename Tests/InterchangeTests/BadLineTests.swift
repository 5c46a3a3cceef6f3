import EpisodicMemory
import Testing

@testable import Interchange

/// One changed member of a line, and the expected error: field, value, remedy.
struct BadLine: CustomTestStringConvertible, Sendable {
  let was: String
  let becomes: String
  let says: [String]

  init(_ was: String, _ becomes: String, _ says: String...) {
    self.was = was
    self.becomes = becomes
    self.says = says
  }

  var testDescription: String { String(becomes.prefix(60)) }
}

@Suite struct `Bad lines` {
  @Test(arguments: [
    BadLine("}]}", "}]", "not JSON", "line ends", "one whole object"),
    BadLine("}]}", "}],}", "not JSON at byte", "name in quotes"),
    BadLine("}]}", "}]} {}", "the end of the line", "\"{}\""),
    BadLine("\"id\"", "id", "not JSON at byte 2"),
    BadLine("0.5", "NaN", "not JSON", "success_rate", "NaN", "null"),
    BadLine("0.5", "-Infinity", "success_rate", "JSON has no such number"),
    BadLine("0.5", ".5", "success_rate", "not JSON"),
    BadLine("0.5", "00.5", "leading zero"),
    BadLine("0.5", "0.", "a digit"),
    BadLine("0.5", "1e999", "success_rate", "1e999", "64-bit"),
    BadLine("\"look\"", "'look'", "steps[0].action", "not JSON"),
    BadLine("\"look\"", "\"lo\\xok\"", "steps[0].action", "known escape"),
    BadLine("\"look\"", "\"lo\nok\"", "steps[0].action", "control character (10)"),
    BadLine("true", "True", "success"),
  ]) func `an error in the JSON names its position`(_ bad: BadLine) throws {
    try expect(bad, in: wholeLine.replacing("false", with: "true"))
  }

  @Test(arguments: [
    BadLine("\"id\": \"run/1\", ", "", "id is missing", "1 to 128"),
    BadLine("\"task_type\": \"debugging\", ", "", "task_type is missing"),
    BadLine("\"domain\": \"web\", ", "", "domain is missing"),
    BadLine("\"context\": \"fix the login\", ", "", "context is missing"),
    BadLine("\"status\": \"completed\", ", "", "status is missing", "active, completed, failed, archived"),
    BadLine("\"created_at\": \"2026-01-31T12:00:00Z\", ", "", "created_at is missing", "ISO 8601"),
    BadLine("\"action\": \"patch\", ", "", "steps[1].action is missing"),
    BadLine(", \"timestamp\": \"2026-01-31T12:00:05Z\"", "", "steps[1].timestamp is missing"),
    BadLine("\"run/1\"", "17", "id is 17", "string"),
    BadLine("\"web\"", "null", "domain is null", "string"),
    BadLine("\"look\"", "{\"a\": [1]}", "steps[0].action is {\"a\":[1]}", "string"),
    BadLine("1500", "1.5", "steps[0].duration_ms is 1.5", "whole milliseconds"),
    BadLine("1500", "\"1500\"", "steps[0].duration_ms is \"1500\""),
    BadLine("1500", "99999999999999999999", "steps[0].duration_ms", "beyond 64 bits"),
    BadLine("\"success\": false", "\"success\": 0", "steps[0].success is 0", "true, false or null"),
    BadLine("0.5", "\"0.5\"", "success_rate is \"0.5\"", "number"),
    BadLine("{\"model\": \"m\", \"cost\": 0.25}", "[1]", "metadata is no JSON object"),
    BadLine("{\"step_number\": 2", "7, {\"step_number\": 2", "steps[1] is 7", "object"),
  ]) func `an error about a missing or wrong-typed field names the field, its value and the remedy`(_ bad: BadLine)
    throws
  {
    try expect(bad, in: wholeLine)
  }

  @Test(arguments: [
    BadLine("\"completed\"", "\"done\"", "status is \"done\"", "active, completed, failed, archived"),
    BadLine("\"run/1\"", "\"\"", "id", "0 bytes", "1 to 128"),
    BadLine("\"run/1\"", "\"\(String(repeating: "x", count: 129))\"", "id", "129 bytes", "1 to 128"),
    BadLine("\"step_number\": 2", "\"step_number\": 1", "steps[1].step_number 1 occurs twice"),
    BadLine("\"step_number\": 2", "\"step_number\": 0", "steps[1].step_number is 0", "from 1"),
    BadLine("1500", "-5", "steps[0].duration_ms is -5", "not negative"),
    BadLine("0.5", "1.5", "success_rate is 1.5", "0...1"),
    BadLine("0.5", "-0.1", "success_rate is -0.1"),
    BadLine("12:00:10.250Z", "11:59:59Z", "completed_at", "before created_at"),
    BadLine("look", "lo\\u0000ok", "steps[0].action", "NUL", "remove it"),
    BadLine("look", "lo\u{0}ok", "steps[0].action", "NUL"),
    BadLine("\"m\"", "\"m\\u0000\"", "metadata.model", "NUL"),
    BadLine("look", "\\ud800 ok", "steps[0].action", "surrogate", "d800"),
    BadLine("look", "\\udc00", "steps[0].action", "surrogate"),
    BadLine("\"cost\": 0.25", "\"cost\": 123456789012345678901", "metadata.cost", "would lose digits", "string"),
    BadLine("\"session\"", "\"colour\": 1, \"session\"", "colour is no member of an episode", "metadata"),
    BadLine("\"tool\"", "\"colour\": 1, \"tool\"", "steps[0].colour is no member of a step", "metadata"),
    BadLine("\"session\": \"s\"", "\"id\": \"again\"", "id occurs twice"),
    BadLine("\"cost\"", "\"model\"", "metadata.model occurs twice"),
    BadLine("\"web\"", "\"\"", "domain is empty"),
  ]) func `an error about a value that cannot be stored names the value and the remedy`(_ bad: BadLine) throws {
    try expect(bad, in: wholeLine)
  }

  @Test(arguments: [
    "yesterday", "2026-01-31", "2026-01-31T12:00:00Z and more", "1769860800", "2026-01-31T12", "",
  ]) func `an error about an invalid time contains an example`(text: String) throws {
    try expect(
      BadLine("2026-01-31T12:00:05Z", text, "steps[1].timestamp is \"\(text)\"", "2026-01-31T12:00:00Z"), in: wholeLine)
  }

  @Test func `an error about a field over its limit names its size`() throws {
    let bad = BadLine("nothing", String(repeating: "n", count: 65), "steps[0].result", "65 bytes", "64")
    try expect(bad, in: wholeLine, limits: Memory.Limits(fieldBytes: 64))
  }

  @Test func `a field of 1 MiB is accepted, and one byte more is not`() throws {
    let most = String(repeating: "n", count: 1 << 20)
    #expect(try readLine(wholeLine.replacing("nothing", with: most)).steps[0].result == most)
    try expect(BadLine("nothing", most + "n", "steps[0].result", "1048577 bytes", "1048576"), in: wholeLine)
  }

  @Test func `an error about bytes that are not UTF-8 names their offset`() throws {
    var bytes = Array(wholeLine.utf8)
    bytes[9] = 0xFF
    let error = try #require(throws: MemoryError.self) { try readLine(bytes) }
    #expect(error.code == .invalid && error.message.contains("not UTF-8 from byte 10"))
  }

  @Test(
    arguments: [
      (#"\ud83d\u0041"#, "\u{FFFD}A", 1), (#"\ud83d\ud83d\ude00"#, "\u{FFFD}😀", 1), (#"\ud83d"#, "\u{FFFD}", 1),
      (#"\udc00\u0000x"#, "\u{FFFD}\u{FFFD}x", 2), (#"\ud83d\n"#, "\u{FFFD}\n", 1), ("a\u{0}b", "a\u{FFFD}b", 1),
      ("a\u{0}\\ud83db", "a\u{FFFD}\u{FFFD}b", 2), (#"\ud83d\ude00"#, "😀", 0), ("\u{FFFD}", "\u{FFFD}", 0),
    ]) func `characters that cannot be stored are replaced in place, and counted`(
      text: String, repaired: String, count: Int
    )
    throws
  {
    for field in ["look", "m\"", "model\""] {
      let bad = wholeLine.replacing("\"\(field)", with: "\"\(text)\(field.hasSuffix("\"") ? "\"" : "look")")
      let line = try EpisodeLine(Array(bad.utf8), repair: .applied)
      #expect(line.repairs == count)
      switch field {
      case "look": #expect(line.steps[0].action == repaired + "look")
      case "m\"": #expect(line.metadata["model"] == .string(repaired))
      default: #expect(line.metadata[repaired] == "m")
      }
      guard count > 0 else { continue }
      let error = try #require(throws: MemoryError.self) { try EpisodeLine(Array(bad.utf8), repair: .offered) }
      #expect(error.message.contains("the option repair"), "\(error)")
    }
  }

  @Test func `replaced bytes are counted without the U+FFFD of the input`() throws {
    let bytes = Array(wholeLine.replacing("look", with: "lo\u{FFFD}k#").utf8)
    let broken = bytes.flatMap { $0 == UInt8(ascii: "#") ? [0xE2, 0x82, UInt8(ascii: " "), 0xFF] : [$0] }
    let line = try EpisodeLine(broken, repair: .applied)
    #expect(line.steps[0].action == "lo\u{FFFD}k\u{FFFD} \u{FFFD}" && line.repairs == 2)
  }

  @Test(arguments: [#"\ud83d\uZZZZ"#, #"\ud83d\x"#, #"\u12"#, "\u{1B}"]) func `repair accepts no other error`(
    text: String
  ) {
    let bad = wholeLine.replacing("look", with: text)
    #expect(throws: MemoryError.self) { try EpisodeLine(Array(bad.utf8), repair: .applied) }
  }

  @Test func `deep nesting is rejected`() throws {
    let deep = String(repeating: "[", count: 100_000)
    try expect(BadLine("\"cost\": 0.25", "\"cost\": " + deep, "nested more than 256 deep"), in: wholeLine)
  }

  @Test func `a value in a message is short and on one line`() throws {
    let long = "\"" + String(repeating: "line\\n", count: 1000) + "\""
    let error = try #require(throws: MemoryError.self) {
      try readLine(wholeLine.replacing("1500", with: long))
    }
    #expect(error.message.utf8.count < 200 && !error.message.contains("\n"))
  }

  private func expect(_ bad: BadLine, in line: String, limits: Memory.Limits = Memory.Limits()) throws {
    let changed = line.replacing(bad.was, with: bad.becomes)
    try #require(changed != line, "the case changes nothing")
    let error = try #require(throws: MemoryError.self) { try readLine(changed, limits: limits) }
    #expect(error.code.isOfInput)
    for part in bad.says { #expect(error.message.contains(part), "\(error.message)") }
  }
}
