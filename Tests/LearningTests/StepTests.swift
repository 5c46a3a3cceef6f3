import ByteCoding
import Learning
import Testing

@Suite struct `Steps as symbols` {
  @Test(arguments: [
    (StepText(action: "query({\"x\": \"1\"})", result: "done", success: true), "query ok"),
    (StepText(action: "get_user({\"id\":\"a\"})", result: "{}", success: true), "get_user empty"),
    (StepText(action: "{\"tool\": \"Search\", \"q\": 1}", result: "x"), "search ok"),
    (StepText(action: "SELECT a FROM b", result: "[]", success: true), "select empty"),
    (StepText(action: "select a from b join c on a=b", result: "x", success: false), "select join failed"),
    (StepText(action: "SELECT a FROM b WHERE c IN (SELECT d FROM e)", result: "x"), "select nested ok"),
    (StepText(action: "SELECT * FROM b LIMIT 3", result: "x"), "sample rows ok"),
    (StepText(action: "SHOW COLUMNS FROM b", result: "x"), "describe ok"),
    (StepText(action: "DESC b", result: "x"), "describe ok"),
    (StepText(action: "SHOW TABLES", result: "x"), "show tables ok"),
    (StepText(action: "Update your records, please.", result: "Thanks"), "say ok"),
    (StepText(action: "find /a -name '*.php' | xargs cat | wc -l", result: "2\n", success: true), "find | cat | wc ok"),
    (StepText(action: "cd /x && git commit -m y", result: "x", tool: "Bash"), "git commit ok"),
    (StepText(action: "```bash\nls -l\n```", result: "x"), "ls ok"),
    (StepText(action: "sudo python3 -m pytest -q", result: "x", tool: "shell"), "pytest ok"),
    (StepText(action: "anything at all", result: "x", tool: "Edit"), "edit ok"),
    (StepText(action: "Could you give me your id?", result: "Yes"), "ask ok"),
    (StepText(action: "I apologise for that.", result: ""), "say empty"),
    (StepText(action: "", result: nil), "nothing empty"),
    (StepText(action: "open(1)", result: "Error: no such file"), "open failed"),
    (StepText(action: "open(1)", result: "Error: no such file", success: true), "open ok"),
  ]) func `a step is its verb, shape and outcome`(_ step: StepText, _ symbol: String) {
    #expect(StepNormaliser.symbol(of: step).text == symbol)
  }

  @Test func `a long name is cut at a character`() {
    let symbol = StepNormaliser.symbol(of: StepText(action: "x", tool: String(repeating: "é", count: 500)))
    #expect(symbol.action.utf8.count <= StepSymbol.longest && symbol.action.allSatisfy { $0 == "é" })
  }

  @Test(arguments: [
    (
      "Error executing query: Unknown column 'name' in 'field list'", "Error executing query: Unknown column '…' in '…'"
    ),
    ("Error: bad value '12' in query", "Error: bad value '…' in query"),
    ("cat: /a/b.txt: No such file or directory", "cat: <path>: No such file or directory"),
    ("line 12: exit 3 of 0dfe12ab99", "line #: exit # of #"),
    ("Traceback (most recent call last):\n  File \"x\", line 3\nKeyError: 'id'", "KeyError: '…'"),
    ("\n\n  it's   gone \n more", "it's gone"), ("can't open `x'", "can't open `…'"),
  ]) func `an error is its first line, with what differs masked`(_ result: String, _ signature: String) {
    #expect(ErrorSignature.of(result) == signature)
  }

  @Test func `an empty error has no signature`() {
    #expect(ErrorSignature.of("") == nil)
    #expect(ErrorSignature.of(" \n\t") == nil)
  }

  @Test func `repetitions count equal actions of a run, and 200 steps are looked at`() {
    let texts = (0..<100_000).map { StepText(action: $0 % 2 == 0 ? "same()" : "other(\($0))", result: "x") }
    let steps = RunTrace.Step.steps(of: texts)
    #expect(steps.count == 200)
    #expect(steps[4].repetition == 3 && steps[5].repetition == 1)
  }
}

@Suite struct `Run traces` {
  static let sample = RunTrace(
    agent: "é", domain: "d", task: .max, run: 3, time: -5, succeeded: true, successRate: 0.5,
    steps: RunTrace.Step.steps(of: [
      StepText(action: "a(1)", result: "Error: 'x'", success: false), StepText(action: "find | sort", result: ""),
    ]), stepCount: 7)

  @Test func `a trace survives its encoding`() throws {
    #expect(try RunTrace(encoded: Self.sample.encoded) == Self.sample)
    for trace in PlantedRuns(seed: 1, tasks: 20).traces { #expect(try RunTrace(encoded: trace.encoded) == trace) }
  }

  @Test func `damaged bytes are refused or read, and never trap`() throws {
    let bytes = Self.sample.encoded
    for count in bytes.indices {
      #expect(throws: MalformedBytes.self) { try RunTrace(encoded: Array(bytes[..<count])) }
    }
    for index in bytes.indices {
      for value in [0, 1, 0x7F, 0xFF] as [UInt8] {
        var damaged = bytes
        damaged[index] = value
        // Either is an answer; a trap would end the tests.
        if let read = try? RunTrace(encoded: damaged) { #expect(read.steps.count <= RunTrace.longest) }
      }
    }
  }
}

@Suite struct `Situations` {
  private static func situation(_ actions: [(String, String?, Bool)]) -> Situation {
    Situation(actions.map { StepText(action: $0.0, result: $0.1, success: $0.2) })
  }

  @Test func `a pattern applies to the last step, and only to it`() {
    let situation = Self.situation([("open(1)", "x", true), ("query(2)", "Error: bad '1'", false)])
    let yes = [
      PatternKey(when: ["query failed"], then: "p"), PatternKey(when: ["open ok", "query failed"], then: "p"),
      PatternKey(.resolution, when: ["Error: bad '…'", "query failed"], then: "p"),
    ]
    let no = [
      PatternKey(when: ["open ok"], then: "p"), PatternKey(when: ["query failed", "query failed"], then: "p"),
      PatternKey(.resolution, when: ["Error: worse", "query failed"], then: "p"),
      PatternKey(when: ["(start)"], then: "p"), PatternKey(.loop, when: [], then: PatternKey.sameAction),
    ]
    #expect(yes.allSatisfy(situation.admits))
    #expect(!no.contains(where: situation.admits))
    #expect(yes.allSatisfy { situation.names.contains($0.situation) })
  }

  @Test func `the start and a loop are situations`() {
    #expect(Self.situation([]).admits(PatternKey(when: ["(start)"], then: "p")))
    #expect(
      Self.situation([("a()", "x", true)]).admits(PatternKey(when: ["(start)", "a ok"], then: "p")))
    let thrice = Self.situation(Array(repeating: ("a()", "Error: 1", false), count: 3))
    #expect(thrice.admits(PatternKey(.loop, when: [], then: PatternKey.sameAction)))
    #expect(thrice.admits(PatternKey(.loop, when: [], then: PatternKey.sameError)))
    let long = Self.situation(Array(repeating: ("b()", "x", true), count: 5000) + [("a()", "x", true)])
    #expect(long.names == ["a ok"])
  }
}
