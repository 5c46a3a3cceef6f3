import Foundation
import Testing

@Suite struct `Backups by the command line` {
  let episodic: CommandLineTool

  init() throws {
    episodic = try CommandLineTool()
    try episodic("begin", "--task", "t", "--domain", "web", "--context", "c", "--id", "a")
  }

  @Test func `options of what to keep are refused with a file, and nothing is made`() throws {
    for keep in [["--keep", "2"], ["--keep-days", "2"]] {
      let result = try episodic.run(["backup", "--output", "copy.sqlite"] + keep)
      #expect(result.status == 2 && result.errors.contains("copy.sqlite"), "\(result)")
      #expect(!FileManager.default.fileExists(atPath: episodic.path("copy.sqlite")))
      #expect(try episodic.run(["backup", "--output", "folder/"] + keep).status == 0)
    }
  }

  @Test func `verify and restore say whether there was no manifest or one that cannot be read`() throws {
    try episodic("backup", "--output", "copy.sqlite")
    _ = try episodic.file("copy.json", "{")
    for arguments in [["verify", "copy.sqlite"], ["restore", "copy.sqlite", "--dry-run"]] {
      let unreadable = try episodic.run(arguments)
      #expect(unreadable.status == 0 && unreadable.output.contains("copy.json cannot be read"), "\(unreadable)")
    }
    try FileManager.default.removeItem(atPath: episodic.path("copy.json"))
    #expect(try episodic("verify", "copy.sqlite").output.contains("no manifest"))
  }

  @Test func `a folder of backups that cannot be read is named`() throws {
    try FileManager.default.createSymbolicLink(atPath: episodic.store + "/backups", withDestinationPath: "nowhere")
    let result = try episodic("backups")
    #expect(result.status != 0 && result.errors.contains("/backups is a link"), "\(result)")
  }

  @Test func `who follows the changes is told of a restore, and what to do`() throws {
    let result = try episodic.shell(
      """
      backup=$(episodic backup)
      episodic changes --follow --json > followed 2> errors & watcher=$!
      while ! [ -s followed ]; do episodic append a --action again; sleep 0.1; done
      episodic restore "$backup" --yes; wait $watcher; echo ended $?; cat errors
      """)
    #expect(result.output.contains("ended 3"), "\(result)")
    // Of the database, or of its log, which goes first.
    #expect(
      result.output.contains("replaced while it was open; nothing was written: run the command again"), "\(result)")
  }
}
