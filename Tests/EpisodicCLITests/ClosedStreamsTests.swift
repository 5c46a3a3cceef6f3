import Foundation
import Testing

@Suite struct `Closed streams` {
  let episodic: CommandLineTool

  init() throws {
    episodic = try CommandLineTool()
    try #require(try episodic("import", "-", input: line("a") + line("b")).status == 0)
    _ = try episodic.file("more.jsonl", line("c"))
  }

  private static let printing = [
    "list", "list --json", "show a", "stats", "check", "rebuild", "export", "recall refused --everywhere",
    "import more.jsonl", "record --json --task t --domain d -- true", "--help", "record --help", "--version",
  ]

  @Test(arguments: printing, [">&-", "1</dev/null", ">/dev/full"])
  func `a standard output that cannot be written is an error`(command: String, redirection: String) throws {
    let result = try episodic.shell("episodic \(command) \(redirection)")
    #expect(result.status == 3 && result.errors.contains("standard output"), "\(result)")
  }

  @Test(arguments: ["import more.jsonl", "record --json --task t --domain d -- true"])
  func `a closed standard output is reported before anything is changed`(command: String) throws {
    #expect(try episodic.shell("episodic \(command) >&-").status == 3)
    #expect(try episodic.count() == 2)
    #expect(
      try episodic.shell(
        "episodic \(command) --store fresh >&-".replacing(" -- true --store fresh", with: " --store fresh -- true")
      ).status == 3)
    #expect(!FileManager.default.fileExists(atPath: episodic.path("fresh")))
  }

  @Test(arguments: ["export --output copy.jsonl", "record --task t --domain d -- true"])
  func `a command that prints nothing needs no standard output`(command: String) throws {
    let result = try episodic.shell("episodic \(command) >&-")
    #expect(result.status == 0, "\(result)")
  }

  /// The first files opened get the lowest free descriptors: those of a closed stream, unless it is occupied.
  @Test(arguments: ["<&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
  func `no message and no result is written into a file of the store`(redirection: String) throws {
    for command in [
      "record --task t --domain d -- sh -c 'echo out; echo error >&2'", "show nothing", "list --limit 1",
      "import nowhere",
    ] {
      _ = try episodic.shell("episodic \(command) \(redirection)")
    }
    let check = try episodic("check")
    #expect(check.status == 0, "\(check)")
    #expect(try episodic.count() == 3)
  }

  @Test func `an import from a closed standard input is an error`() throws {
    let result = try episodic.shell("episodic import - <&-")
    #expect(result.status != 0 && result.errors.contains("standard input"), "\(result)")
  }
}
