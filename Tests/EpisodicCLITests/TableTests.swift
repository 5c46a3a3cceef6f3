import EpisodicMemory
import Foundation
import Testing

@testable import EpisodicCLI

@Suite struct `Tables` {
  private func table(_ context: String = String(repeating: "long context ", count: 20)) -> Table {
    var table = Table([
      .init("STATUS"), .init("CONTEXT", isText: true), .init("TASK", rank: 3), .init("DOMAIN", rank: 2), .init("ID"),
    ])
    table.add([.init("completed"), .init(context), .init("documentation"), .init("web"), .init("0193e0a45a7c")])
    table.add([.init("failed"), .init("短い文脈"), .init("t"), .init("db"), .init("0193e0a4ffff")])
    return table
  }

  @Test(arguments: [40, 60, 80, 100, 140, 200]) func `no line is wider than the terminal, and ids stay whole`(
    width: Int
  ) {
    let lines = table().text(width: width).split(separator: "\n")
    #expect(lines.allSatisfy { String($0).columns <= width }, "\(lines)")
    #expect(lines.dropFirst().allSatisfy { $0.contains("0193e0a4") && $0.hasSuffix("c") || $0.hasSuffix("ffff") })
  }

  @Test func `columns that tell least go first`() {
    #expect(table().text(width: 140).contains("TASK"))
    let narrow = table().text(width: 60)
    #expect(!narrow.contains("TASK") && narrow.contains("CONTEXT") && narrow.contains("ID"), "\(narrow)")
  }

  @Test func `without a limit nothing is cut`() {
    let text = table().text(width: nil)
    #expect(text.contains(String(repeating: "long context ", count: 19)) && !text.contains("…"))
  }

  @Test func `columns line up also where characters are wide`() {
    let lines = table("short").text(width: 80).split(separator: "\n").map(String.init)
    let places = lines.dropFirst().compactMap { line in
      line.range(of: "0193").map { String(line[..<$0.lowerBound]).columns }
    }
    #expect(places.count == 2 && places[0] == places[1], "\(lines)")
  }

  @Test(arguments: [
    ("NO_COLOR=1", false), ("CLICOLOR_FORCE=1", true), ("NO_COLOR=1 CLICOLOR_FORCE=1", false),
    ("CLICOLOR_FORCE=0", false), ("TERM=xterm", false),
  ])
  func `colour follows NO_COLOR, CLICOLOR_FORCE, and the terminal`(variables: String, isColoured: Bool) throws {
    let episodic = try CommandLineTool()
    try episodic("import", "-", input: line("a"))
    for command in ["list", "show a", "recall login --everywhere"] {
      let output = try episodic.shell("unset NO_COLOR CLICOLOR_FORCE; \(variables) episodic \(command)").output
      #expect(output.contains("\u{1B}[") == isColoured, "\(command) \(output)")
    }
  }

  @Test(arguments: [(1.69e-06, 1.69e-06, "100 %"), (0.5, 2, "25 %"), (0.03, 2, "1.5 %"), (0, 2, "0 %"), (1, 0, "0 %")])
  func `a score is a share of the best one`(score: Double, best: Double, text: String) {
    #expect(Score.share(score, of: best) == text)
  }
}
