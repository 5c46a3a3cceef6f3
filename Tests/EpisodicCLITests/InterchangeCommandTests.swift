import Foundation
import TestSupport
import Testing

@Suite struct `Import and export` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  @Test func `an export returns what was imported, from a file or a pipe`() throws {
    let lines = (0..<600).map { line("id-\($0)", context: "caf\\u00e9 \($0) \\\"quoted\\\"") }
    let file = try episodic.file("a.jsonl", lines[..<300].joined())
    #expect(try episodic("import", file).output == "imported 300 episodes, 300 steps\n")
    let piped = try episodic.shell("tail -n 300 | episodic import -", input: lines.joined())
    #expect(piped.output == "imported 300 episodes, 300 steps\n", "\(piped)")
    let output = episodic.path("out.jsonl")
    #expect(try episodic("export", "--output", output).status == 0)
    let exported = try String(contentsOfFile: output, encoding: .utf8)
    #expect(try normalised(exported) == normalised(lines.joined()))
    #expect(try episodic("export").output == exported)
  }

  @Test func `an export of an import of an export is the same`() throws {
    try episodic("import", "-", input: (0..<50).map { line("id-\($0)") }.joined())
    let first = try episodic("export")
    let other = episodic.path("other")
    try episodic("import", "-", "--store", other, input: first.output)
    let second = try episodic("export", "--store", other)
    #expect(try normalised(first.output) == normalised(second.output))
  }

  @Test(
    .enabled(
      if: Host.hasSharedData("sql/episodes.jsonl", "airline/episodes.jsonl"), "needs ../shared/data beside the checkout"
    ),
    arguments: ["sql", "airline"])
  func `every field of the real episodes comes back`(name: String) throws {
    let data = Host.sharedData("\(name)/episodes.jsonl").path(percentEncoded: false)
    #expect(try episodic("import", data).status == 0)
    let original = try String(contentsOfFile: data, encoding: .utf8)
    #expect(try normalised(episodic("export").output) == normalised(original))
  }

  @Test(arguments: [
    ("{\"id\": \"bad\"", "not JSON"), (line("bad").replacing("completed", with: "done"), "status is \"done\""),
    (line("bad").replacing("\"action\":\"curl\",", with: ""), "steps[0].action is missing"),
    (line("a"), "used twice"), (line("there"), "in the store already"), (line(""), "id"),
    (line("bad").replacing("curl", with: "cu\\u0000rl"), "NUL"),
    (line("bad").replacing("\"metadata\"", with: "\"success_rate\":2,\"metadata\""), "success_rate is 2"),
  ]) func `a bad line keeps everything out and is named with file and number`(bad: String, says: String) throws {
    try episodic("import", "-", input: line("there"))
    let first = try episodic.file("first.jsonl", line("a"))
    let second = try episodic.file("second.jsonl", line("b") + "\n" + bad)
    let result = try episodic("import", first, second)
    #expect(result.status == 2 && result.output.isEmpty, "\(result)")
    #expect(result.errors.contains("\(second):3: ") && result.errors.contains(says), "\(result)")
    #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
    #expect(try episodic.count() == 1)
  }

  @Test func `each of several bad lines is reported`() throws {
    let result = try episodic("import", "-", input: "1\n" + line("a") + "2\n")
    #expect(result.status == 2)
    let errors = result.errors.split(separator: "\n")
    #expect(errors.count == 3 && errors.allSatisfy { $0.hasPrefix("episodic: ") }, "\(result)")
    #expect(errors[0].contains("standard input:1: ") && errors[1].contains("standard input:3: "), "\(result)")
    #expect(try episodic.count() == 0)
  }

  @Test func `--keep-going imports the rest and exits with 1`() throws {
    try episodic("import", "-", input: line("there"))
    let lines = [line("a"), "nonsense\n", line("there"), line("a"), line("b")].joined()
    let result = try episodic("import", "--keep-going", "--json", "-", input: lines)
    #expect(result.status == 1, "\(result)")
    #expect(result.json?["imported"] as? Int == 2 && result.json?["rejected"] as? Int == 3, "\(result)")
    let numbers = result.errors.split(separator: "\n").map { $0.split(separator: ":")[2] }
    #expect(numbers == ["2", "3", "4"], "\(result)")
    #expect(try episodic.count() == 3)
  }

  @Test func `existing episodes are skipped or replaced as --existing says`() throws {
    try episodic("import", "-", input: line("a", context: "old"))
    let both = line("a", context: "new") + line("b")
    let skip = try episodic("import", "--existing", "skip", "-", input: both)
    #expect(skip.output == "imported 1 episode, 1 step, skipped 1 episode\n", "\(skip)")
    #expect(try episodic("show", "a", "--json").json?["context"] as? String == "old")
    let replace = try episodic("import", "--existing", "replace", "-", input: both)
    #expect(replace.output == "imported 2 episodes, 2 steps\n", "\(replace)")
    #expect(try episodic("show", "a", "--json").json?["context"] as? String == "new")
  }

  @Test func `an import of an export keeps the order of episodes with equal times`() throws {
    let ids = ["c", "a", "d", "b"].map { "id-\($0)" }
    try episodic("import", "-", input: ids.map { line($0) }.joined())
    try episodic("import", "-", "--existing", "replace", input: line("id-a", context: "changed"))
    let other = episodic.path("other")
    let exported = try episodic("export").output
    try episodic("import", "-", "--store", other, input: exported)
    #expect(try episodic("export", "--store", other).output == exported)
    let list = try episodic("list").output
    #expect(try episodic("list", "--store", other).output == list)
    #expect(list.matches(of: /id-./).map { String($0.output) } == ids.reversed())
  }

  @Test func `two concurrent imports of one file report in sum what was stored`() throws {
    let lines = try episodic.file("k.jsonl", (0..<400).map { line("k\($0)") }.joined())
    let command = "episodic import --existing skip --json \(lines)"
    let result = try episodic.shell("\(command) & \(command); wait")
    let reports = try result.output.split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(reports.count == 2, "\(result)")
    for member in ["imported", "steps", "skipped"] {
      #expect(reports.reduce(0) { $0 + ($1[member] as? Int ?? 0) } == 400, "\(member): \(result)")
    }
  }

  @Test func `replacing episodes by their own export keeps their vectors, and vectors of a changed text are reported`()
    throws
  {
    let lines = try episodic.file("a.jsonl", line("a") + line("b"))
    let vectors = try episodic.file("v.f32", rows([1, 0, 0, 1]))
    try episodic("import", lines, "--vectors", vectors, "--model", "m", "--dimensions", "2")
    let same = try episodic.shell("episodic export | episodic import --existing replace --json -")
    #expect(same.json?["vectors_kept"] as? Int == 2 && same.json?["vectors_dropped"] as? Int == 0, "\(same)")
    let query = try episodic.file("q.f32", rows([1, 0]))
    let recall = [
      "recall", "--everywhere", "--mode", "vector", "--query-vectors", query, "--dimensions", "2", "--json",
    ]
    #expect(try (episodic.run(recall).json?["results"] as? [Any])?.count == 2)
    let changed = line("a", context: "other") + line("b", context: "others")
    let other = try episodic("import", "--existing", "replace", "-", input: changed)
    #expect(other.output == "imported 2 episodes, 2 steps, 2 vectors dropped: their text changed\n", "\(other)")
  }

  @Test func `--repair replaces characters that cannot be stored and counts them; without it the error names --repair`()
    throws
  {
    let bad = Data(
      line("a", context: "half \\ud83d of", result: "NUL \\u0000").utf8.map { $0 }
        + line("b", context: "good \\ud83d\\ude00", result: "latin ").utf8.map { $0 })
    let bytes = bad.reduce(into: Data()) {
      $0 += $1 == UInt8(ascii: " ") && $0.suffix(5) == Data("latin".utf8) ? [0xE9] : [$1]
    }
    let file = try episodic.file("bad.jsonl", bytes)
    let refused = try episodic("import", file)
    #expect(refused.status == 2, "\(refused)")
    let errors = refused.errors.split(separator: "\n")
    #expect(errors.count == 3 && errors.prefix(2).allSatisfy { $0.contains("--repair") }, "\(refused)")
    #expect(refused.errors.contains("surrogate") && refused.errors.contains("not UTF-8"), "\(refused)")
    let repaired = try episodic("import", "--repair", file)
    #expect(repaired.output == "imported 2 episodes, 2 steps, repaired 3 characters in 2 lines\n", "\(repaired)")
    #expect(try episodic("show", "a", "--json").json?["context"] as? String == "half \u{FFFD} of")
    #expect(try episodic("show", "b", "--json").json?["context"] as? String == "good 😀")
  }

  @Test func `a line over the limit is refused at the limit, with file, line and limit`() throws {
    let endless = try episodic.shell("(echo; yes | tr -d '\\n') | episodic import --max-line 65536 -")
    #expect(endless.status == 2, "\(endless)")
    #expect(endless.errors.contains("standard input:2: the line is longer than 65536 bytes"), "\(endless)")
    #expect(endless.errors.contains("--max-line"), "\(endless)")
    let long = try episodic.file("long.jsonl", line("a", context: String(repeating: "x", count: 70_000)) + line("b"))
    let rest = try episodic("import", "--max-line", "65536", "--keep-going", long)
    #expect(rest.status == 1 && rest.output.contains("imported 1 episode"), "\(rest)")
    #expect(rest.errors.contains("long.jsonl:1: the line is longer"), "\(rest)")
    #expect(try episodic("import", "--max-line", "80000", "--existing", "skip", long).status == 0)
    #expect(try episodic("import", "--max-line", "0", long).status == 2)
  }

  @Test func `an endless pipe of bad lines is refused after the first`() throws {
    let result = try episodic.shell("yes | episodic import -")
    #expect(result.status == 2 && result.errors.contains("standard input:20: "), "\(result)")
  }

  @Test func `an error for too few descriptors names the limit`() throws {
    let file = try episodic.file("a.jsonl", line("a"))
    let result = try episodic.shell("ulimit -n 8; exec episodic import \(file)")
    #expect(result.status == 3 && result.errors.contains("may open 8 files"), "\(result)")
    #expect(!FileManager.default.fileExists(atPath: episodic.store))
    let many = try episodic.shell(
      "ulimit -n 40; exec episodic import \(Array(repeating: file, count: 60).joined(separator: " "))")
    #expect(many.status == 3 && many.errors.contains("ulimit -n"), "\(many)")
  }

  @Test func `control characters are exported as escapes and imported unchanged`() throws {
    let text = "red \\u001b[31m \\u009b31m \\u202e \\u200b \\udb40\\udc41 end"
    try episodic("import", "-", input: line("a\\u200f", context: text, result: text))
    let other = episodic.path("other")
    let exported = try episodic("export")
    try episodic("import", "-", "--store", other, input: exported.output)
    for arguments in [
      ["export"], ["list", "--json"], ["show", "a\u{200F}", "--json"], ["recall", "red", "--everywhere", "--json"],
    ] {
      for store in [episodic.store, other] {
        let output = try episodic.run(arguments + ["--store", store]).output
        #expect(output.contains("end"))
        for scalar in output.unicodeScalars where scalar != "\n" {
          #expect(scalar.properties.generalCategory != .control && scalar.properties.generalCategory != .format)
        }
      }
    }
    #expect(
      try episodic("show", "a\u{200F}", "--json", "--store", other).json?["context"] as? String
        == "red \u{1B}[31m \u{9B}31m \u{202E} \u{200B} \u{E0041} end")
  }

  @Test(arguments: [false, true]) func `vectors that do not match the lines prevent the import`(keepGoing: Bool) throws
  {
    let lines = try episodic.file("a.jsonl", line("a") + line("b"))
    for (numbers, says) in [([1, 2, 3], "2 rows"), ([1, 2], "1 rows"), ([1, 2, 3, 4, 5, 6], "3 rows")]
      as [([Float], String)]
    {
      let vectors = try episodic.file("v.f32", rows(numbers))
      let result = try episodic.run(
        ["import", lines, "--vectors", vectors, "--model", "m", "--dimensions", "2"]
          + (keepGoing ? ["--keep-going"] : []))
      #expect(result.status == 2 && result.errors.contains("v.f32"), "\(result)")
      if numbers.count != 3 { #expect(result.errors.contains(says), "\(result)") }
    }
    #expect(try episodic.count() == 0)
  }

  @Test(arguments: [Float.nan, .infinity, 0]) func `an invalid vector is reported with its line`(number: Float) throws {
    let lines = try episodic.file("a.jsonl", line("a") + line("b"))
    let vectors = try episodic.file("v.f32", rows([1, 2, number, 0]))
    let result = try episodic("import", lines, "--vectors", vectors, "--model", "m", "--dimensions", "2")
    #expect(result.status == 2 && result.errors.contains("a.jsonl:2: row 2 of"), "\(result)")
    #expect(try episodic.count() == 0)
  }

  @Test func `vectors of another length than the model's are refused`() throws {
    let first = try episodic.file("a.f32", rows([1, 2]))
    let second = try episodic.file("b.f32", rows([1, 2, 3]))
    try episodic("import", "-", "--vectors", first, "--model", "m", "--dimensions", "2", input: line("a"))
    let result = try episodic("import", "-", "--vectors", second, "--model", "m", "--dimensions", "3", input: line("b"))
    #expect(result.status == 2 && result.errors.contains("\"m\""), "\(result)")
    #expect(try episodic.count() == 1)
  }

  @Test func `a file that cannot be read or written exits with 2`() throws {
    try episodic("import", "-", input: line("a"))
    #expect(try episodic("import", "/nowhere/a.jsonl").status == 2)
    #expect(try episodic("import", episodic.path(".")).status == 2)
    #expect(try episodic("export", "--output", "/nowhere/a.jsonl").status == 2)
  }

  @Test func `an export to a device does not replace the device`() throws {
    try episodic("import", "-", input: line("a"))
    #expect(try episodic("export", "--output", "/dev/null").status == 0)
    #expect(
      try FileManager.default.attributesOfItem(atPath: "/dev/null")[.type] as? FileAttributeType
        == .typeCharacterSpecial)
  }

  /// The lines by id, without members that are null or empty.
  private func normalised(_ lines: String) throws -> [String: NSDictionary] {
    var byID: [String: NSDictionary] = [:]
    for line in lines.split(separator: "\n") {
      let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      byID[try #require(object["id"] as? String)] = NSDictionary(dictionary: object.filter { !($0.value is NSNull) })
    }
    return byID
  }
}
