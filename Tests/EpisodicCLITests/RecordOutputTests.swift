import Foundation
import Testing

@Suite struct `Output that record stores` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  @Test func `of a long output the beginning and the end are kept, cut between lines, with the omission counted`()
    throws
  {
    _ = try episodic.file("build.sh", "echo 'error: quokka.h: no such file'; seq 100001 200000; echo 'wombat failed'")
    let result = try result("sh", "build.sh")
    let lines = result.split(separator: "\n")
    #expect(lines.first == "error: quokka.h: no such file" && result.hasSuffix("200000\nwombat failed\n"))
    #expect(result.utf8.count <= 33 << 10 && result.utf8.count > 31 << 10)
    let marker = try #require(lines.firstIndex { $0.hasPrefix("⋯") })
    #expect(
      lines[1..<marker].allSatisfy { $0.count == 6 } && lines[(marker + 1)...].dropLast().allSatisfy { $0.count == 6 })
    let missing = 100_002 - (lines.count - 1)
    let shown = try episodic("show", "e").output
    #expect(shown.contains("[\(missing) lines, \(missing * 7) bytes left out]"), "\(shown.prefix(3000))")
    #expect(!shown.contains("⋯"))
    for word in ["quokka", "wombat", "200000"] {
      #expect(try found(word) == 1, "\(word)")
    }
    for word in ["left", "out", "lines", "bytes", "omitted", "\(missing)", "\(missing * 7)", "150000"] {
      #expect(try found(word) == 0, "\(word)")
    }
  }

  @Test(arguments: [0, 1, 100, 4096, 524_288]) func `the limit can be set`(limit: Int) throws {
    let result = try result("seq", "1", "200000", options: ["--output-limit", "\(limit)"])
    #expect(result.utf8.count <= limit + 64)
    #expect(result.contains("⋯") && (limit < 100 || result.hasPrefix("1\n") && result.hasSuffix("\n200000\n")))
  }

  @Test(arguments: ["-1", "524289", "many"]) func `a limit out of range is refused`(limit: String) throws {
    #expect(try episodic.record(["--output-limit=\(limit)", "--", "true"]).status == 2)
    #expect(!FileManager.default.fileExists(atPath: episodic.store))
  }

  @Test func `an output of the size of the limit is kept whole`() throws {
    let text = String(repeating: "ab\n", count: 1000)
    #expect(try result("printf", "%s", text, options: ["--output-limit", "3000"]) == text)
  }

  @Test(arguments: ["é", "漢", "a"]) func `one endless line is cut between characters`(character: String) throws {
    let result = try result(
      "sh", "-c", "yes '\(character)' | head -n 50000 | tr -d '\\n'", options: ["--output-limit", "1001"])
    let parts = result.split(separator: "\n")
    #expect(
      parts.count == 3 && parts[0].allSatisfy { "\($0)" == character } && parts[2].allSatisfy { "\($0)" == character })
  }

  /// Repair makes three bytes of one, and redaction lengthens text: the step must fit its field anyway.
  @Test(arguments: [
    "head -c 2000000 /dev/zero | tr '\\000' '\\377'", "yes password=abc | head -n 100000",
    "yes | tr '\\n' '\\000' | head -c 2000000",
  ])
  func `an output that grows when it is kept still fits`(script: String) throws {
    let result = try result("sh", "-c", script, options: ["--output-limit", "524288"])
    #expect(result.utf8.count > 100_000 && result.utf8.count <= 1 << 20)
  }

  // MARK: Credentials

  private static let token = "ghp_" + String(repeating: "aB3dE5fG7h", count: 4)

  @Test func `credentials are replaced in command, output and context, and counted`() throws {
    let recorded = try episodic.record([
      "--episode", "e", "--context", "deploy with password=hunter2", "--", "sh", "-c", "echo key \(Self.token)",
    ])
    #expect(recorded.output == "key \(Self.token)\n", "what passes through stays as it is")
    #expect(recorded.errors == "recorded e (completed, 1 step, 3 credentials redacted)\n", "\(recorded)")
    let exported = try episodic("export").output
    #expect(!exported.contains("ghp_") && !exported.contains("hunter2"), "\(exported)")
    #expect(exported.contains("key [redacted:github-token]") && exported.contains("password=[redacted:password]"))
    let file = try Data(contentsOf: URL(filePath: episodic.store + "/memory.sqlite"))
    #expect(file.range(of: Data(Self.token.utf8)) == nil)
  }

  @Test func `--no-redact stores credentials as they are`() throws {
    let result = try episodic.record(["--episode", "e", "--no-redact", "--", "echo", Self.token])
    #expect(result.errors == "recorded e (completed, 1 step)\n", "\(result)")
    #expect(try episodic.lastStep(of: "e")["result"] as? String == Self.token + "\n")
  }

  @Test func `the report counts redacted credentials`() throws {
    let result = try episodic.record(["--json", "--", "printf", "password=%s\n", "abc", "def"])
    #expect(result.output.contains("\"redacted\":2"), "\(result)")
  }

  /// The command writes it in two parts, which may arrive in one read or two.
  @Test func `a credential written in two parts is replaced`() throws {
    let half = Self.token.prefix(20), rest = Self.token.dropFirst(20)
    let result = try result(
      "sh", "-c", "printf 'x \(half)'; sleep 0.2; printf '\(rest)\\000'; echo; printf 'pass\\000word=hun\\000ter2'")
    #expect(result == "x [redacted:github-token]\npassword=[redacted:password]")
  }

  /// 1,000 bytes are kept, 500 from each end, and the credential crosses one of the cuts.
  @Test(arguments: [455, 470, 490, 499], [true, false])
  func `no part of a credential across a cut is stored`(padding: Int, hasLines: Bool) throws {
    let unit = hasLines ? "pad\n" : "pad "
    let before = String(repeating: unit, count: padding / 4)
    let script = "\(before)\(Self.token) \(String(repeating: unit, count: 20_000)) \(Self.token) \(before)"
    let file = try episodic.file("output", script)
    let result = try result("cat", file, options: ["--output-limit", "1000"])
    #expect(!result.contains("E5fG7") && !result.contains("ghp_"), "\(result)")
  }

  // MARK: Recording

  /// Records a command and returns the stored result.
  private func result(_ command: String..., options: [String] = []) throws -> String {
    let recorded = try episodic.record(["--episode", "e"] + options + ["--"] + command)
    #expect(recorded.status == 0, "\(recorded.errors)")
    return try episodic.lastStep(of: "e")["result"] as? String ?? ""
  }

  private func found(_ word: String) throws -> Int {
    let result = try episodic("recall", word, "--domain", "web", "--json")
    return try #require(result.json?["results"] as? [Any], "\(result)").count
  }
}
