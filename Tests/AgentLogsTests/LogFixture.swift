import AgentLogs
import Episodic
import EpisodicMemory
import Foundation
import TestSupport
import Testing

/// A folder of logs, and a store in memory that takes them in.
struct LogFixture {
  let directory: TemporaryDirectory
  let memory: Memory

  init(limits: Memory.Limits = Memory.Limits()) async throws {
    directory = try TemporaryDirectory()
    memory = try await Memory.inMemory(limits: limits)
  }

  @discardableResult
  func write(_ name: String, _ lines: [String]) throws -> String {
    try write(name, lines.map { $0 + "\n" }.joined())
  }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let path = directory.file(name)
    try FileManager.default.createDirectory(
      at: URL(filePath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(filePath: path))
    return path
  }

  /// Makes a log look as if nobody had written it for two days.
  func age(_ path: String) throws {
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -2 * 86_400)], ofItemAtPath: path)
  }

  @discardableResult
  func take(_ options: LogImporter.Options = .init(), from paths: String...) async throws -> LogReport {
    let files = try LogFile.all(at: paths.isEmpty ? [directory.path] : paths)
    return try await LogImporter.run(files, into: memory, options).report
  }

  /// Every episode, oldest first.
  func episodes() async throws -> [Episode] {
    try await memory.episodes(in: .everything, limit: 1000, steps: .all).elements.reversed().sorted {
      $0.createdAt < $1.createdAt
    }
  }
}

/// Lines of Claude Code.
enum Claude {
  static func line(_ type: String, _ uuid: String, _ parent: String?, _ members: JSON.Object) -> String {
    var line: JSON.Object = [
      "type": .string(type), "uuid": .string(uuid), "parentUuid": parent.map { .string($0) } ?? .null,
      "isSidechain": false, "sessionId": "S", "cwd": "/src/shop", "gitBranch": "main", "version": "2.1.329",
    ]
    for member in members { line[member.name] = member.value }
    return JSON.object(line).canonicalText
  }

  static func time(_ second: Int) -> JSON { .string("2026-11-21T06:48:\(second < 10 ? "0" : "")\(second).000Z") }

  static func prompt(_ text: String, _ uuid: String, after parent: String? = nil, id: String, at second: Int) -> String
  {
    line(
      "user", uuid, parent,
      ["promptId": .string(id), "timestamp": time(second), "message": ["role": "user", "content": .string(text)]])
  }

  static func call(
    _ command: String, _ call: String, _ uuid: String, after parent: String, at second: Int, message: String = "m"
  ) -> String {
    line(
      "assistant", uuid, parent,
      [
        "timestamp": time(second),
        "message": [
          "id": .string(message), "model": "opus", "usage": ["input_tokens": 10, "output_tokens": 5],
          "content": [
            ["type": "tool_use", "id": .string(call), "name": "Bash", "input": ["command": .string(command)]]
          ],
        ],
      ])
  }

  static func result(
    _ text: String, of call: String, _ uuid: String, after parent: String, id: String, at second: Int,
    isError: Bool = false
  ) -> String {
    line(
      "user", uuid, parent,
      [
        "promptId": .string(id), "timestamp": time(second),
        "toolUseResult": ["stdout": .string(text), "durationMs": 7],
        "message": [
          "content": [
            [
              "type": "tool_result", "tool_use_id": .string(call), "content": .string(text), "is_error": .bool(isError),
            ]
          ]
        ],
      ])
  }

  static func answer(_ text: String, _ uuid: String, after parent: String, at second: Int) -> String {
    line(
      "assistant", uuid, parent,
      [
        "timestamp": time(second),
        "message": ["id": .string(uuid), "model": "opus", "content": [["type": "text", "text": .string(text)]]],
      ])
  }
}
