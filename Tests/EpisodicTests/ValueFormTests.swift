import Episodic
import Foundation
import TestSupport
import Testing

/// The values of the engine in Codable, in literals, and as dates and paths.
@Suite struct `Values in the form of the interchange` {
  static let metadata: JSON = [
    "large": .unsigned(.max), "small": .integer(.min), "half": 0.5, "nothing": nil, "list": [1, "two", [true], [:]],
    "é": "composed",
  ]

  static func episode() -> Episode {
    Episode(
      id: "e", taskType: .debugging, domain: "web", session: "s", context: "why\n\"so\"?", status: .failed,
      successRate: 0.25,
      createdAt: Timestamp(milliseconds: 1_767_225_600_250), completedAt: Timestamp(milliseconds: 1_767_225_601_000),
      metadata: metadata,
      steps: [
        Step(
          id: "a", number: 3, action: "swift test", result: "failed", tool: "shell", duration: .milliseconds(1500),
          success: false, timestamp: Timestamp(milliseconds: 1_767_225_600_500)),
        Step(id: "b", number: 7, action: "wait", timestamp: Timestamp(milliseconds: 1_767_225_600_600)),
      ])
  }

  static func pattern() -> Pattern {
    Pattern(
      id: "p", type: .errorResolution, data: ["fix": "wait"], dataHash: (["fix": "wait"] as JSON).canonicalHash,
      successRate: 0.5, usageCount: .max, lastUsed: Timestamp(milliseconds: 5), createdAt: Timestamp(milliseconds: 0),
      metadata: ["n": 1])
  }

  static func hit() -> Hit {
    Hit(
      episode: episode(), score: 1.69e-06, shares: .init(context: 0.5, steps: 1e-9, vector: 0),
      matches: [.init(step: nil), .init(step: 3, excerpt: "‹swift›")])
  }

  private static func expectForm<Value: Codable>(_ value: Value, _ json: JSON, _ again: (Value) -> JSON) throws {
    let encoded = try JSONEncoder().encode(value)
    #expect(try JSON(text: String(decoding: encoded, as: UTF8.self)) == json)
    for bytes in [encoded, Data(json.outputText.utf8)] {
      #expect(again(try JSONDecoder().decode(Value.self, from: bytes)) == json)
    }
  }

  @Test func `what JSONEncoder writes parses equal to json, and JSONDecoder reads it back`() throws {
    try Self.expectForm(Self.episode(), Self.episode().json) { $0.json }
    for step in Self.episode().steps { try Self.expectForm(step, step.json) { $0.json } }
    try Self.expectForm(Self.pattern(), Self.pattern().json) { $0.json }
    try Self.expectForm(Self.hit(), Self.hit().json) { $0.json }
    try Self.expectForm(Self.metadata, Self.metadata) { $0 }
    for value in [nil, true, 7, 0.1, "x", [], [:]] as [JSON] { try Self.expectForm([value], [value]) { .array($0) } }
  }

  @Test func `an episode read in part and a pattern of a domain come back as they were`() async throws {
    let memory = try await Memory.inMemory()
    try await memory.insert([.sample("e", steps: ["one", "two", "three"])])
    let part = try #require(try await memory.episode("e", steps: .last(1)))
    try Self.expectForm(part, part.json) { $0.json }
    #expect(try JSONDecoder().decode(Episode.self, from: JSONEncoder().encode(part)).omittedSteps == 2)
    let pattern = try await memory.record(Pattern.Draft(.toolSequence, data: ["n": 1], domain: "swift"))
    try Self.expectForm(pattern, pattern.json) { $0.json }
    #expect(pattern.json["domain"] == "swift")
  }

  @Test func `JSONDecoder reads each line of an export`() async throws {
    let directory = try TemporaryDirectory()
    let memory = try await Memory.inMemory()
    try await memory.insert([Self.episode(), .sample("other", steps: ["one"])])
    let file = URL(filePath: directory.file("out.jsonl"))
    try await memory.exportEpisodes(to: OutputFile(file))
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    let episodes = try lines.map { try JSONDecoder().decode(Episode.self, from: Data($0.utf8)) }
    #expect(episodes.map(\.json) == [Self.episode().json, Episode.sample("other", steps: ["one"]).json])
    let other = try await Memory.inMemory()
    #expect(try await other.importEpisodes(from: [InputFile(file)]).imported == 2)
  }

  @Test(arguments: [
    ("{}", "id"), ("{\"id\":\"e\",\"colour\":1}", "colour is no member of an episode"),
    (
      "{\"id\":\"e\",\"task_type\":\"t\",\"domain\":\"d\",\"context\":\"\",\"status\":\"gone\",\"created_at\":\"2026-01-31T12:00:00Z\",\"steps\":[]}",
      "status is \"gone\""
    ),
  ]) func `what an import refuses is no episode for JSONDecoder either, for the same reason`(
    _ text: String, _ reason: String
  ) {
    let error = #expect(throws: DecodingError.self) { try JSONDecoder().decode(Episode.self, from: Data(text.utf8)) }
    #expect(
      "\(String(describing: error))".contains(reason.replacing("\"", with: "\\\""))
        || "\(String(describing: error))".contains(reason))
  }

  // MARK: Literals

  private enum Mood: String, JSONConvertible { case good }

  @Test func `metadata takes variables beside literals`() {
    let (branch, attempt, big, parent) = ("main", 3, UInt64.max, nil as String?)
    let (when, flags, sizes) = (Date(timeIntervalSince1970: 0), [true, false], ["a": 1.5])
    let draft = Episode.Draft(
      .testing, domain: "d", context: "x",
      metadata: [
        "branch": branch, "attempt": attempt, "big": big, "parent": parent, "when": when, "flags": flags,
        "sizes": sizes,
        "mood": Mood.good, "literal": 1, "text": "x", "nested": ["a": 1, "b": "x"] as JSON, "same": ["a": 1, "b": 2],
        "id": "e" as Episode.ID,
      ])
    let expected: JSON = [
      "branch": "main", "attempt": 3, "big": .unsigned(.max), "parent": nil, "when": "1970-01-01T00:00:00Z",
      "flags": [true, false], "sizes": ["a": 1.5], "mood": "good", "literal": 1, "text": "x",
      "nested": ["a": 1, "b": "x"], "same": ["a": 1, "b": 2], "id": "e",
    ]
    #expect(draft.metadata == expected)
    #expect(Episode.Change(metadata: ["branch": branch, "n": attempt]).metadata == ["branch": "main", "n": 3])
    #expect(Pattern.Draft(.toolSequence, data: ["tools": [branch], "n": attempt]).data == ["tools": ["main"], "n": 3])
  }

  @Test func `literals alone nest as before, and take interpolated texts`() {
    let number = 7
    let draft = Episode.Draft(
      .testing, domain: "d", context: "x",
      metadata: ["a": 1, "b": "x", "c": nil, "d": ["e": [1, "two", ["f": 0.5]], "g": true], "h": "build \(number)"])
    #expect(draft.metadata["d"]?["e"] == [1, "two", ["f": 0.5]])
    #expect(draft.metadata["h"] == "build 7")
    #expect(Episode.Change(metadata: ["a": ["b": 1, "c": "x"]]).metadata == ["a": ["b": 1, "c": "x"]])
    #expect(Pattern.Draft(.toolSequence, data: ["a": ["b": 1, "c": "x"]], metadata: ["n": 1]).data["a"]?["c"] == "x")
    #expect(JSON(number) == 7 && JSON("\(number)") == "7" && JSON(["a": number]) == ["a": 7])
  }

  // MARK: Dates and paths

  @Test func `a timestamp and a date are each other's, to the millisecond`() {
    for milliseconds in [0, 1, 999, 1_767_225_600_250, -1] as [Int64] {
      let time = Timestamp(milliseconds: milliseconds)
      #expect(abs(Date(time).timeIntervalSince1970 * 1000 - Double(milliseconds)) < 0.001)
      #expect(Date(time) == time.date)
    }
    #expect(Timestamp(Date(Timestamp(milliseconds: 1_767_225_600_000))).milliseconds == 1_767_225_600_000)
  }

  @Test func `a store is opened by its URL, and by no other URL`() async throws {
    let directory = try TemporaryDirectory()
    let url = URL(filePath: directory.path).appending(path: "ein Ordner")
    let memory = try await Memory.open(at: url)
    try await memory.close()
    #expect(FileManager.default.fileExists(atPath: directory.path + "/ein Ordner/memory.sqlite"))
    let remote = try #require(URL(string: "https://example.org/store"))
    let error = await #expect(throws: MemoryError.self) { try await Memory.open(at: remote) }
    #expect(error?.code == .invalid)
  }

  @Test(arguments: ["", "~somebody/file"])
  func `an empty path and another user's home are refused wherever a path is given`(
    _ path: String
  ) async throws {
    let memory = try await Memory.inMemory()
    let calls: [() async throws -> Void] = [
      { _ = try await Memory.open(at: path) }, { _ = try await memory.importEpisodes(from: [.file(path)]) },
      { _ = try await memory.exportEpisodes(to: .file(path)) },
      { _ = try await memory.recall(queries: .file(path), to: .standardOutput) },
    ]
    for call in calls {
      let error = await #expect(throws: MemoryError.self) { try await call() }
      #expect(error?.code == .invalid)
    }
  }

  @Test func `recall takes words and a scope`() async throws {
    let memory = try await Memory.inMemory()
    try await memory.insert([.sample("a", domain: "web", context: "flaky login"), .sample("b", context: "flaky login")])
    #expect(try await memory.recall("flaky", in: .domain("web")).map(\.episode.id) == ["a"])
    #expect(try await memory.recall("flaky", in: .everything, limit: 1).count == 1)
  }

  @Test(arguments: ["-9223372036854775808", "0", "9223372036854775807"])
  func `a number of steps that cannot be is refused`(_ count: String) throws {
    let text = Self.episode().json.outputText
    let line = #"{"step_count":\#(count),"# + text.dropFirst()
    #expect(throws: (any Error).self) { try JSONDecoder().decode(Episode.self, from: Data(line.utf8)) }
  }
}
