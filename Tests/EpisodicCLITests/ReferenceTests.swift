import Foundation
import Testing

@Suite struct `Names of episodes` {
  let episodic: CommandLineTool

  init() throws {
    episodic = try CommandLineTool()
    let ids = ["build-1", "build-12", "build-2", "deploy", "@3"]
    let lines = ids.enumerated().map { index, id in
      line(id, domain: id == "deploy" ? "db" : "web").replacing("T12:00:00Z", with: "T12:00:0\(index)Z")
    }
    try episodic("import", "-", input: lines.joined())
  }

  private func id(_ arguments: String...) throws -> String? {
    try episodic.run(["show", "--json"] + arguments).json?["id"] as? String
  }

  @Test func `a whole id wins, then a beginning that one id has`() throws {
    #expect(try id("build-1") == "build-1")
    #expect(try id("build-12") == "build-12")
    #expect(try id("de") == "deploy")
    #expect(try episodic("show", "x").status == 1)
  }

  @Test func `a beginning of several ids is refused with some of them`() throws {
    let result = try episodic("show", "build-")
    #expect(result.status == 2 && result.output.isEmpty, "\(result)")
    #expect(result.errors.contains("build-1, build-12, build-2"), "\(result)")
  }

  @Test func `@last and @n count from the newest`() throws {
    #expect(try id("@last") == "@3" && id("@1") == "@3")
    #expect(try id("@2") == "deploy")
    // Also where an id is equal.
    #expect(try id("@3") == "build-2")
    #expect(try id("@last", "--domain", "db") == "deploy")
    #expect(try id("@2", "--domain", "web") == "build-2")
    #expect(try episodic("show", "@6").status == 1 && episodic("show", "@0").status == 2)
  }

  /// I8
  @Test func `an id of another domain is not there`() throws {
    #expect(try episodic("show", "deploy", "--domain", "web").status == 1)
    #expect(try episodic("show", "de", "--domain", "web").status == 1)
    let result = try episodic("show", "build-", "--domain", "db")
    #expect(result.status == 1 && !result.errors.contains("build-1"), "\(result)")
  }

  @Test func `a table shows beginnings that name each episode`() throws {
    try episodic("begin", "--task", "t", "--domain", "d", "--context", "one")
    try episodic("begin", "--task", "t", "--domain", "d", "--context", "two")
    let table = try episodic.shell("COLUMNS=80 episodic list --domain d").output
    let shown = table.split(separator: "\n").dropFirst().compactMap { $0.split(separator: " ").last.map(String.init) }
    #expect(shown.count == 2 && shown.allSatisfy { $0.count < 36 && $0.count >= 8 }, "\(table)")
    #expect(Set(try shown.map { try id($0) }).count == 2)
  }
}
