import Foundation
import TestSupport
import Testing

@Suite struct `Import and export` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  @Test func `what is imported is exported, whether from a file or a pipe`() throws {
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

  @Test func `each of several bad lines is named`() throws {
    let result = try episodic("import", "-", input: "1\n" + line("a") + "2\n")
    #expect(result.status == 2)
    let errors = result.errors.split(separator: "\n")
    #expect(errors.count == 3 && errors.allSatisfy { $0.hasPrefix("episodic: ") }, "\(result)")
    #expect(errors[0].contains("standard input:1: ") && errors[1].contains("standard input:3: "), "\(result)")
    #expect(try episodic.count() == 0)
  }

  @Test func `--keep-going imports the rest and ends with 1`() throws {
    try episodic("import", "-", input: line("there"))
    let lines = [line("a"), "nonsense\n", line("there"), line("a"), line("b")].joined()
    let result = try episodic("import", "--keep-going", "--json", "-", input: lines)
    #expect(result.status == 1, "\(result)")
    #expect(result.json?["imported"] as? Int == 2 && result.json?["rejected"] as? Int == 3, "\(result)")
    let numbers = result.errors.split(separator: "\n").map { $0.split(separator: ":")[2] }
    #expect(numbers == ["2", "3", "4"], "\(result)")
    #expect(try episodic.count() == 3)
  }

  @Test func `existing episodes are skipped or replaced when asked`() throws {
    try episodic("import", "-", input: line("a", context: "old"))
    let both = line("a", context: "new") + line("b")
    let skip = try episodic("import", "--existing", "skip", "-", input: both)
    #expect(skip.output == "imported 1 episode, 1 step, skipped 1 episode\n", "\(skip)")
    #expect(try episodic("show", "a", "--json").json?["context"] as? String == "old")
    let replace = try episodic("import", "--existing", "replace", "-", input: both)
    #expect(replace.output == "imported 2 episodes, 2 steps\n", "\(replace)")
    #expect(try episodic("show", "a", "--json").json?["context"] as? String == "new")
  }

  @Test(arguments: [false, true]) func `vectors that do not fit the lines keep everything out`(keepGoing: Bool) throws {
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

  @Test(arguments: [Float.nan, .infinity, 0]) func `a vector that is none is named with its line`(number: Float) throws
  {
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

  @Test func `a file that cannot be read or written ends with 2`() throws {
    try episodic("import", "-", input: line("a"))
    #expect(try episodic("import", "/nowhere/a.jsonl").status == 2)
    #expect(try episodic("import", episodic.path(".")).status == 2)
    #expect(try episodic("export", "--output", "/nowhere/a.jsonl").status == 2)
  }

  @Test func `an export to a device leaves the device alone`() throws {
    try episodic("import", "-", input: line("a"))
    #expect(try episodic("export", "--output", "/dev/null").status == 0)
    #expect(
      try FileManager.default.attributesOfItem(atPath: "/dev/null")[.type] as? FileAttributeType
        == .typeCharacterSpecial)
  }

  /// The lines by id, without members that say nothing.
  private func normalised(_ lines: String) throws -> [String: NSDictionary] {
    var byID: [String: NSDictionary] = [:]
    for line in lines.split(separator: "\n") {
      let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      byID[try #require(object["id"] as? String)] = NSDictionary(dictionary: object.filter { !($0.value is NSNull) })
    }
    return byID
  }
}
