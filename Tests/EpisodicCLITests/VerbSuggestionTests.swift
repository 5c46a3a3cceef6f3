import ArgumentParser
import Testing

@testable import EpisodicCLI

@Suite struct `The verb of a call` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  @Test(arguments: [
    (["recal", "x"], "did you mean recall?"), (["lst"], "did you mean list?"),
    (["apend", "x"], "did you mean append?"),
    (["--store", "x", "shwo", "y"], "did you mean show?"), (["pattern", "shw", "y"], "did you mean pattern show?"),
    (["exp"], "did you mean export?"), (["list", "--domian", "x"], "--domain"),
  ])
  func `a misspelt word is answered with the nearest one`(arguments: [String], says: String) throws {
    let result = try episodic.run(arguments)
    #expect(result.status == 2 && result.output.isEmpty && result.errors.contains(says), "\(result)")
  }

  @Test func `every command names itself, as deriving names from types takes most of the time of a start`() {
    func unnamed(_ command: any ParsableCommand.Type) -> [String] {
      (command.configuration.commandName == nil ? ["\(command)"] : [])
        + command.configuration.subcommands.flatMap(unnamed)
    }
    #expect(unnamed(EpisodicCommand.self).isEmpty)
  }

  @Test func `a word like none is named without a guess`() throws {
    let result = try episodic("frobnicate")
    #expect(
      result.status == 2 && result.errors.contains("\"frobnicate\"") && !result.errors.contains("mean"), "\(result)")
  }

  @Test func `options of the store stand before the verb or after it`() throws {
    let other = episodic.path("other")
    #expect(
      try episodic("--store", other, "begin", "--task", "t", "--domain", "d", "--context", "c", "--id", "e").status == 0
    )
    for arguments in [
      ["--store", other, "show", "e"], ["--store=\(other)", "show", "e"], ["show", "e", "--store", other],
      ["--busy-timeout", "1", "show", "--store", other, "e"], ["--store", other, "pattern", "list"],
      ["pattern", "--store", other, "list"], ["pattern", "list", "--store=\(other)"],
    ] {
      #expect(try episodic.run(arguments).status == 0, "\(arguments)")
    }
    #expect(try episodic("show", "e").status == 3)
  }

  @Test func `the recorded command keeps an option of the same name`() throws {
    let result = try episodic.record(["--", "echo", "--store", "elsewhere"])
    #expect(result.output == "--store elsewhere\n", "\(result)")
    #expect(try episodic.count() == 1)
  }
}
