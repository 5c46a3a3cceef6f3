import Foundation
import TestSupport
import Testing

@Suite struct `The command doctor` {
  let episodic: CommandLineTool

  init() throws {
    episodic = try CommandLineTool()
    try episodic("import", "-", input: line("a") + line("b", domain: "db"))
  }

  private func codes(_ result: CommandLineTool.Result) -> [String] {
    // A layer of a container is worth a note on any machine that builds in one.
    (result.json?["findings"] as? [[String: Any]] ?? []).compactMap { $0["code"] as? String }
      .filter { $0 != "file-system-overlay" }
  }

  @Test(arguments: [["doctor"], ["doctor", "--full"], ["doctor", "--repair"]])
  func `on a whole store exits with 0 and says what it looked at`(arguments: [String]) throws {
    let result = try episodic.run(arguments)
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    for text in ["SQLite", "free space", "schema version"] { #expect(result.output.contains(text), "\(result)") }
    #expect(!result.output.contains("repaired"), "\(result)")
  }

  @Test func `names what is wrong with its code, what it means and what to do, and exits with 1`() throws {
    _ = try episodic.shell("chmod 666 \"$EPISODIC_STORE/memory.sqlite\"")
    let result = try episodic("doctor")
    #expect(result.status == 1 && result.errors.isEmpty, "\(result)")
    for text in ["permissions-open", "every user of the machine", "episodic doctor --repair"] {
      #expect(result.output.contains(text), "\(result)")
    }
    let repaired = try episodic("doctor", "--repair")
    #expect(repaired.status == 0 && repaired.output.contains("repaired  set the mode of"), "\(repaired)")
    #expect(try episodic("doctor").status == 0)
  }

  @Test func `its last line says how many findings there are, and how many of them a repair mends`() throws {
    func last(_ arguments: String...) throws -> Substring? {
      try episodic.run(["doctor"] + arguments).output.split(separator: "\n").last
    }
    _ = try episodic.shell("chmod 666 \"$EPISODIC_STORE/memory.sqlite\"; touch \"$EPISODIC_STORE/notes.txt\"")
    // A layer of a container is one more finding.
    let mendable = try #require(try last())
    #expect(mendable.contains(/^[23] findings; episodic doctor --repair mends 1 of them$/), "\(mendable)")
    let left = try #require(try last("--repair"))
    #expect(left.contains(/^ok: (1 finding|2 findings), worth knowing$/), "\(left)")
  }

  @Test func `exits with 1 for a store that is missing, and makes none`() throws {
    let result = try episodic("doctor", "--json", "--store", episodic.path("nowhere"))
    #expect(result.status == 1 && codes(result) == ["store-missing"], "\(result)")
    #expect(!FileManager.default.fileExists(atPath: episodic.path("nowhere")))
  }

  @Test func `exits with 3 for a damaged store, changes nothing in it and says so as JSON`() throws {
    _ = try episodic.shell(
      "printf 'ZZZZZZZZZZZZZZZZ' | dd of=\"$EPISODIC_STORE/memory.sqlite\" bs=1 seek=4096 count=16 conv=notrunc")
    let before = try Data(contentsOf: URL(filePath: episodic.store + "/memory.sqlite"))
    let result = try episodic("doctor", "--repair", "--json")
    #expect(result.status == 3 && result.json?["damaged"] as? Bool == true, "\(result)")
    #expect(codes(result).contains("primary-damaged"), "\(result)")
    #expect(try Data(contentsOf: URL(filePath: episodic.store + "/memory.sqlite")) == before)
  }

  @Test(arguments: [
    ("ulimit -n 64; episodic doctor --json", "file-limit"),
    ("ulimit -v 100000000; episodic doctor --json", "map-limit"),
    ("TMPDIR=/nonexistent episodic doctor --json", "temporary-directory"),
  ]) func `names the limits of its process`(script: String, code: String) throws {
    let result = try episodic.shell(script)
    #expect(result.status == 1 && codes(result) == [code], "\(result)")
  }

  @Test func `check has a quick depth`() throws {
    let quick = try episodic("check", "--quick", "--json")
    #expect(quick.status == 0, "\(quick)")
    let names = (quick.json?["checks"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
    #expect(names.contains("integrity of the database") && names.contains("settings"), "\(names)")
    #expect(!names.contains { $0.hasPrefix("search index") }, "\(names)")
    #expect(try episodic("check", "--full").status == 0)
    #expect(try episodic("check", "--full", "--quick").status == 2)
  }
}
