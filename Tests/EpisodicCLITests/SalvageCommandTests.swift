import Foundation
import Testing

@Suite struct `Salvage by the command line` {
  let episodic: CommandLineTool

  init() throws {
    episodic = try CommandLineTool()
    let lines = (0..<60).map { line("e\($0)", context: String(repeating: "login refused \($0) ", count: 40)) }
    try episodic("import", "-", input: lines.joined())
    // Its last connection has moved the log into it.
    try episodic("stats")
  }

  private func damage() throws -> Int {
    let url = URL(filePath: episodic.store + "/memory.sqlite")
    var bytes = try Data(contentsOf: url)
    let pages = bytes.count / 4096
    for page in [1, pages / 2, pages - 2] {
      bytes.replaceSubrange(page * 4096..<(page + 1) * 4096, with: Data(count: 4096))
    }
    try bytes.write(to: url)
    return pages
  }

  @Test func `a damaged store becomes a sound one, the report has its documented form, and losses exit with 1`() throws
  {
    let pages = try damage()
    let target = episodic.path("new")
    let result = try episodic("salvage", episodic.store, "--to", target, "--json")
    #expect(result.status == 1, "\(result)")
    try JSONSchema("salvage").check(result.output)
    #expect(result.json?["pages"] as? Int == pages)
    #expect(try episodic("check", "--store", target).status == 0)
    let again = try episodic("salvage", episodic.store, "--to", target)
    #expect(again.status == 2 && again.errors.contains(target), "\(again)")
    let shown = try episodic("salvage", episodic.store, "--to", episodic.path("other"))
    #expect(shown.status == 1 && shown.output.contains("episodes") && shown.output.contains("pages are lost"))
  }

  @Test func `an undamaged store is salvaged whole, and exits with 0`() throws {
    let target = episodic.path("new")
    let result = try episodic("salvage", episodic.store, "--to", target)
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    #expect(try episodic("export", "--store", target).output == episodic("export").output)
  }

  @Test func `what is no store is named, and nothing is made`() throws {
    let result = try episodic("salvage", episodic.path("nothing"), "--to", episodic.path("new"))
    #expect(result.status == 3 && result.errors.contains("nothing"))
    #expect(!FileManager.default.fileExists(atPath: episodic.path("new")))
  }
}
