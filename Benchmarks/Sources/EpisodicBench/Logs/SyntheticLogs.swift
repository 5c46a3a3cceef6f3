import Episodic
import Foundation

/// Logs as Claude Code and Codex write them, of any size, the same for the same seed.
///
/// Of 1,000 results of calls 600 have up to 800 bytes, 350 up to 8 KB, 48 up to 40 KB, and 2 have 1 MB. Of the bytes of Claude Code
/// four fifths are records that no episode needs, which is less than in its real logs; Codex writes each result twice.
struct SyntheticLogs {
  /// What is in the logs.
  struct Contents {
    var files = 0
    var bytes = 0
    var lines = 0
    var episodes = 0
    /// Calls, and the answer of each episode.
    var steps = 0
  }

  /// About so many bytes a log.
  private static let fileBytes = 16_000_000

  private var generator: SeededGenerator
  private let text: TextPool
  private(set) var contents = Contents()
  private var file = LineFile()
  private var milliseconds: Int64 = 1_767_225_600_000

  init(seed: UInt64) {
    generator = SeededGenerator(seed: seed)
    text = TextPool(&generator)
  }

  /// Writes logs of both clients into a folder until there are so many bytes.
  mutating func write(bytes: Int, to folder: String, progress: (Int) -> Void) throws {
    while contents.bytes < bytes {
      let number = contents.files
      let size = min(Self.fileBytes, bytes - contents.bytes)
      try file.open("\(folder)/\(number.isMultiple(of: 2) ? "session" : "rollout")-\(number).jsonl")
      if number.isMultiple(of: 2) { try writeClaude(size) } else { try writeCodex(size) }
      try file.close()
      contents.files += 1
      contents.bytes += file.bytes
      contents.lines += file.lines
      progress(contents.bytes)
    }
  }

  // MARK: Claude Code

  private mutating func writeClaude(_ size: Int) throws {
    let session = id()
    var parent = "null"
    repeat {
      let prompt = id()
      contents.episodes += 1
      try claude(
        "user", session, &parent, #""promptId":"\#(prompt)","message":{"role":"user","content":"fix \#(words(80))"}"#)
      for _ in 0..<Int.random(in: 3...15, using: &generator) {
        try file.add(#"{"type":"attachment","sessionId":"\#(session)","attachment":{"content":"\#(words(24_000))"}}"#)
        try file.add(
          #"{"type":"api-request-shape","sessionId":"\#(session)","shape":{"messages":["\#(words(21_000))"]}}"#)
        let call = "toolu_\(contents.steps)"
        try claudeModel(session, &parent, #"{"type":"text","text":"\#(words(200))"}"#)
        try claudeModel(
          session, &parent,
          #"{"type":"tool_use","id":"\#(call)","name":"Bash","input":{"command":"run \#(words(40))"}}"#)
        let (result, failed) = result()
        try claude(
          "user", session, &parent,
          #""promptId":"\#(prompt)","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"\#(call)","#
            + #""content":"\#(result)","is_error":\#(failed)}]},"toolUseResult":{"stdout":"\#(result)","stderr":""}"#)
        contents.steps += 1
      }
      try claudeModel(session, &parent, #"{"type":"text","text":"Done. \#(words(300))"}"#)
      contents.steps += 1
    } while file.bytes < size
  }

  private mutating func claudeModel(_ session: String, _ parent: inout String, _ block: String) throws {
    try claude(
      "assistant", session, &parent,
      #""message":{"id":"msg_\#(file.lines)","role":"assistant","model":"model-1","content":[\#(block)],"#
        + #""usage":{"input_tokens":900,"output_tokens":40}}"#)
  }

  private mutating func claude(_ type: String, _ session: String, _ parent: inout String, _ members: String) throws {
    let own = #""\#(id())""#
    try file.add(
      #"{"parentUuid":\#(parent),"isSidechain":false,"cwd":"/src/shop","sessionId":"\#(session)","version":"2.1.329","#
        + #""gitBranch":"main","type":"\#(type)",\#(members),"uuid":\#(own),"timestamp":"\#(time())"}"#)
    parent = own
  }

  // MARK: Codex

  private mutating func writeCodex(_ size: Int) throws {
    try codex(
      "session_meta",
      #""id":"\#(id())","cwd":"/src/web","cli_version":"0.163.0","base_instructions":{"text":"\#(words(12_000))"}"#)
    repeat {
      let turn = id()
      contents.episodes += 1
      let prompt = "fix \(words(80))"
      try codexEvent("task_started", #""turn_id":"\#(turn)""#)
      try codex("turn_context", #""turn_id":"\#(turn)","cwd":"/src/web","model":"model-2""#)
      try codexItem("message", #""role":"user","content":[{"type":"input_text","text":"\#(prompt)"}]"#)
      try codexEvent("user_message", #""message":"\#(prompt)""#)
      for _ in 0..<Int.random(in: 3...15, using: &generator) {
        let call = "call_\(contents.steps)"
        try codexItem("reasoning", #""summary":[],"encrypted_content":"\#(words(2000))""#)
        try codexItem(
          "function_call", #""name":"exec_command","arguments":"{\"cmd\": \"run \#(words(40))\"}","call_id":"\#(call)""#
        )
        let (result, failed) = result()
        let code = failed ? 1 : 0
        try codexEvent(
          "item_completed",
          #""turn_id":"\#(turn)","item":{"type":"CommandExecution","id":"\#(call)","exit_code":\#(code),"#
            + #""aggregated_output":"\#(result)","duration":{"secs":0,"nanos":5037}}"#)
        try codexItem(
          "function_call_output",
          #""call_id":"\#(call)","output":"Process exited with code \#(code)\nOutput:\n\#(result)""#)
        try codexEvent("token_count", #""info":{"total":\#(contents.steps)}"#)
        contents.steps += 1
      }
      try codexEvent("task_complete", #""turn_id":"\#(turn)","last_agent_message":"Done. \#(words(300))""#)
      contents.steps += 1
    } while file.bytes < size
  }

  private mutating func codexItem(_ type: String, _ members: String) throws {
    try codex("response_item", #""type":"\#(type)",\#(members)"#)
  }

  private mutating func codexEvent(_ type: String, _ members: String) throws {
    try codex("event_msg", #""type":"\#(type)",\#(members)"#)
  }

  private mutating func codex(_ type: String, _ payload: String) throws {
    try file.add(#"{"timestamp":"\#(time())","ordinal":\#(file.lines),"type":"\#(type)","payload":{\#(payload)}}"#)
  }

  // MARK: Values

  private mutating func result() -> (text: String, failed: Bool) {
    let sizes =
      switch Int.random(in: 0..<1000, using: &generator) {
      case 0..<600: 50...800
      case 600..<950: 800...8000
      case 950..<998: 8000...40_000
      default: 1_000_000...1_000_000
      }
    return (words(Int.random(in: sizes, using: &generator)), Int.random(in: 0..<5, using: &generator) == 0)
  }

  private mutating func words(_ bytes: Int) -> String { text.text(bytes, &generator) }

  private mutating func id() -> String {
    let digits = { (value: UInt64) in
      String(repeating: "0", count: 16 - String(value, radix: 16).count) + String(value, radix: 16)
    }
    return digits(generator.next()) + digits(generator.next())
  }

  private mutating func time() -> String {
    milliseconds += 1000
    return "\(Timestamp(milliseconds: milliseconds))"
  }
}

/// Text of words and line ends, escaped for a string of JSON, of which parts are taken.
private struct TextPool {
  private let bytes: [UInt8]
  /// Where words begin, so that no part ends inside an escape.
  private let starts: [Int]

  init(_ generator: inout SeededGenerator) {
    let names = ["login", "checkout", "redis", "timeout", "refused", "migrate", "schema", "cache", "queue", "token"]
    var bytes: [UInt8] = []
    var starts: [Int] = []
    while bytes.count < 4_000_000 {
      starts.append(bytes.count)
      let name = names[Int.random(in: 0..<names.count, using: &generator)]
      let end = Int.random(in: 0..<10, using: &generator) == 0 ? "\\n" : " "
      bytes += "\(name)\(Int.random(in: 0..<100, using: &generator))\(end)".utf8
    }
    (self.bytes, self.starts) = (bytes, starts)
  }

  func text(_ count: Int, _ generator: inout SeededGenerator) -> String {
    // Of a word there are at least 6 bytes.
    let first = Int.random(in: 0..<(starts.count - count / 6 - 1), using: &generator)
    let last = starts[first...].partitioningIndex { $0 >= starts[first] + count }
    return String(decoding: bytes[starts[first]..<starts[last]], as: UTF8.self)
  }
}

extension ArraySlice<Int> {
  /// The first index whose element satisfies a condition that those behind it satisfy too.
  fileprivate func partitioningIndex(_ isBehind: (Int) -> Bool) -> Int {
    var (low, high) = (startIndex, endIndex - 1)
    while low < high {
      let middle = (low + high) / 2
      if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// Lines of a file, written in large pieces.
private struct LineFile {
  private var handle: FileHandle?
  private var buffer = Data()
  private(set) var bytes = 0
  private(set) var lines = 0

  mutating func open(_ path: String) throws {
    guard FileManager.default.createFile(atPath: path, contents: nil), let handle = FileHandle(forWritingAtPath: path)
    else { throw BenchError("\(path) cannot be written") }
    (self.handle, bytes, lines) = (handle, 0, 0)
  }

  mutating func add(_ line: String) throws {
    buffer += Data(line.utf8)
    buffer.append(UInt8(ascii: "\n"))
    bytes += line.utf8.count + 1
    lines += 1
    if buffer.count > 1 << 20 { try flush() }
  }

  mutating func close() throws {
    try flush()
    try handle?.close()
  }

  private mutating func flush() throws {
    try handle?.write(contentsOf: buffer)
    buffer.removeAll(keepingCapacity: true)
  }
}
