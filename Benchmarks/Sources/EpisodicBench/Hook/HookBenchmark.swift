import ArgumentParser
import CRawSQLite
import Episodic
import Foundation

struct HookCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hook",
    abstract: "How long a coding agent waits for episodic hook, by its events.",
    discussion: """
      Fills a store with texts of 20,000 words, whose frequencies follow Zipf's law, then starts the command that is built beside \
      this program once for each event, as an agent does: a prompt, calls that succeeded and failed, and the end of a turn. Its \
      time is that from the start of the process to its end. Beside it what no event can be faster than: a process that does \
      nothing, the start of the command, and opening the store.

      Target: p99 of each event below 50 ms.

      EXAMPLE
        bench hook --episodes 5000 --turns 200
      """)

  @Option(help: "Episodes in the store, with 10 steps each.")
  var episodes = 5000

  @Option(help: "Turns of the agent, with 4 events each.")
  var turns = 200

  @Option(help: "The command, if not the one beside this program.")
  var episodic: String?

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try CommonOptions.validate(counts: [("--episodes", episodes), ("--turns", turns)])
  }

  func run() async throws {
    try await common.report { scratch in
      try await HookBenchmark(
        episodes: episodes, turns: turns, program: try BuiltProgram.episodic(episodic), seed: common.seed,
        scratch: scratch
      ).run()
    }
  }
}

struct HookBenchmark {
  private static let target: UInt64 = 50_000_000
  /// In a text these are stop words, which no index has.
  private static let commonest = 50

  let episodes: Int
  let turns: Int
  let program: String
  let seed: UInt64
  let scratch: ScratchDirectory
  private let vocabulary: Vocabulary

  init(episodes: Int, turns: Int, program: String, seed: UInt64, scratch: ScratchDirectory) {
    (self.episodes, self.turns, self.program, self.seed, self.scratch) = (episodes, turns, program, seed, scratch)
    var generator = SeededGenerator(seed: seed)
    vocabulary = Vocabulary(count: 20_000, &generator)
  }

  func run() async throws -> Report {
    let store = scratch.path(of: "store")
    var generator = SeededGenerator(seed: seed + 1)
    try await fill(store, &generator)
    let probe = try SyncProbe(in: scratch)
    let process = OneProcess(input: scratch.path(of: "event.json"), output: scratch.path(of: "answer.json"))
    var nothing = Series("nothing", "a process that ends at once: /bin/true")
    var start = Series("start", "the command without a store: episodic --version")
    var open = Series("open", "opens the store and looks for an episode of a session that has none: SessionEnd")
    var series = [
      Series("UserPromptSubmit", "recalls, begins an episode"),
      Series("PostToolUse", "appends a step"), Series("PostToolUseFailure", "appends a step, recalls, asks for advice"),
      Series("Stop", "appends the answer, completes the episode"),
    ]
    let hook = ["hook", "--store", store]
    var answers = 0
    for turn in 0..<turns {
      try nothing.record(nanoseconds: process.run("/bin/true", [], "").nanoseconds)
      try start.record(nanoseconds: process.run(program, ["--version"], "").nanoseconds)
      try open.record(nanoseconds: process.run(program, hook, Self.end(of: "another")).nanoseconds)
      try probe.sample()
      for (index, event) in events(of: turn, &generator) {
        let (nanoseconds, answer) = try process.run(program, hook, event)
        series[index].record(nanoseconds: nanoseconds)
        if answer > 0 { answers += 1 }
      }
    }
    var report = Report(
      benchmark: "hook", parameters: ["episodes": episodes, "turns": turns],
      machine: Machine(durability: "normal", sync: probe.series),
      rows: series.map { Row($0, section: "episodic hook") }
        + [nothing, start, open].map { Row($0, section: "beside it") })
    report.notes = ["\(answers) events had an answer"]
    // To the others nothing in the store is alike enough.
    if answers < turns / 2 { report.failure = "of \(turns) prompts and as many failures only \(answers) had an answer" }
    if let slow = series.first(where: { $0.p99 > Self.target }) {
      report.failure = "p99 of \(slow.name) is \(slow.p99.grouped) ns, above the \(Self.target.grouped) asked"
    }
    return report
  }

  private func fill(_ store: String, _ generator: inout SeededGenerator) async throws {
    let memory = try await Memory.open(at: store)
    var batch: [Episode] = []
    for number in 0..<episodes {
      let time = NumberedEpisode.moment(number)
      let steps = (1...10).map { step in
        Step(
          id: .generate(at: time), number: step, action: "run \(text(4, &generator))", result: text(30, &generator),
          tool: "Bash", success: step % 4 != 0, timestamp: time)
      }
      batch.append(
        Episode(
          id: NumberedEpisode.id(number), taskType: "coding", domain: "shop", context: text(12, &generator),
          status: number % 3 == 0 ? .failed : .completed, successRate: 0.7, createdAt: time, completedAt: time,
          metadata: ["agent": "claude-code"], steps: steps))
      if batch.count == 500 || number == episodes - 1 {
        try await memory.insert(batch)
        batch = []
      }
    }
    // So that the index is there, as after the first recall.
    _ = try await memory.recall(Query(text: text(1, &generator), scope: .domain("shop"), limit: 1))
    try await memory.close()
  }

  private func text(_ count: Int, _ generator: inout SeededGenerator) -> String {
    (0..<count).map { _ in vocabulary.word(rarerThan: Self.commonest, &generator) }.joined(separator: " ")
  }

  private static func end(of session: String) -> String {
    JSON.object(["hook_event_name": "SessionEnd", "session_id": .string(session), "cwd": "/nowhere/shop"]).canonicalText
  }

  /// Events with the place of their series.
  private func events(of turn: Int, _ generator: inout SeededGenerator) -> [(Int, String)] {
    func event(_ name: String, _ members: JSON.Object) -> String {
      var event: JSON.Object = [
        "hook_event_name": .string(name), "session_id": "s", "cwd": "/nowhere/shop",
        "prompt_id": .string("prompt \(turn)"),
      ]
      for member in members { event[member.name] = member.value }
      return JSON.object(event).canonicalText
    }
    func use(_ number: Int) -> JSON.Object {
      [
        "tool_name": "Bash", "tool_use_id": .string("\(turn)-\(number)"),
        "tool_input": ["command": .string("run \(text(4, &generator))")],
      ]
    }
    var failed = use(2)
    failed["error"] = .string("Exit code 1 \(text(20, &generator))")
    var worked = use(1)
    worked["tool_response"] = ["stdout": .string(text(50, &generator)), "stderr": ""]
    return [
      (0, event("UserPromptSubmit", ["prompt": .string(text(10, &generator))])), (1, event("PostToolUse", worked)),
      (2, event("PostToolUseFailure", failed)), (3, event("Stop", ["last_assistant_message": "Done."])),
    ]
  }
}

/// Runs a program to its end with a file as its standard input.
private struct OneProcess {
  let input: String
  let output: String

  /// - Returns: From before the start to the end; bytes of standard output.
  func run(_ program: String, _ arguments: [String], _ text: String) throws -> (nanoseconds: UInt64, bytes: Int) {
    try Data(text.utf8).write(to: URL(filePath: input))
    let reading = try Self.open(input, O_RDONLY)
    defer { close(reading) }
    let writing = try Self.open(output, O_WRONLY | O_CREAT | O_TRUNC)
    defer { close(writing) }
    let start = raw_now()
    let child = try WorkerProcess.spawn(program, arguments, input: reading, output: writing)
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    let nanoseconds = raw_now() - start
    guard status == 0 else { throw BenchError("\(program) ended with \(status)") }
    var facts = stat()
    guard stat(output, &facts) == 0 else { throw BenchError("\(output) is gone") }
    return (nanoseconds, Int(facts.st_size))
  }

  private static func open(_ path: String, _ flags: Int32) throws -> Int32 {
    let file = Foundation.open(path, flags | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw BenchError("\(path) does not open: \(String(cString: strerror(errno)))") }
    return file
  }
}
