import Foundation
import Testing

@Suite struct `A refused call` {
  let episodic: CommandLineTool

  init() throws {
    episodic = try CommandLineTool()
    _ = try episodic.file("bad.jsonl", line("a") + "nonsense\n")
    _ = try episodic.file("good.jsonl", line("a"))
    _ = try episodic.file("short.f32", rows([1]))
  }

  private static let long = String(repeating: "x", count: 200)

  @Test(arguments: [
    ["nonsense"], ["record"], ["record", "--", "true"], ["record", "--task", "t", "--domain", "d"],
    ["record", "--task", "t", "--domain", "d", "true"],
    ["record", "--task", "t", "--domain", "d", "--nonsense", "--", "true"],
    ["record", "--task", "", "--domain", "d", "--", "true"], ["record", "--task", "t", "--domain", "", "--", "true"],
    ["record", "--task", "t", "--domain", "d", "--session", "", "--", "true"],
    ["record", "--task", "t", "--domain", "d", "--episode", "", "--", "true"],
    ["record", "--task", "t", "--domain", "d", "--episode", long, "--", "true"],
    ["record", "--episode", "e", "--", "true"],
    ["record", "--task", "t", "--domain", "d", "--output-limit", "x", "--", "true"], ["import"],
    ["import", "nowhere.jsonl"],
    ["import", "good.jsonl", "nowhere.jsonl"], ["import", "."], ["import", "bad.jsonl"],
    ["import", "good.jsonl", "bad.jsonl"],
    ["import", "good.jsonl", "--nonsense"], ["import", "good.jsonl", "--existing", "merge"],
    ["import", "good.jsonl", "--vectors", "short.f32"],
    ["import", "good.jsonl", "--vectors", "nowhere.f32", "--model", "m", "--dimensions", "2"],
    ["import", "good.jsonl", "--vectors", "short.f32", "--model", "m", "--dimensions", "2"],
    ["import", "good.jsonl", "--vectors", "short.f32", "--model", "", "--dimensions", "1"], ["import", "-", "-"],
    ["import", "--store", "", "good.jsonl"], ["record", "--store", "", "--task", "t", "--domain", "d", "--", "true"],
    ["export", "--output", "/nowhere/x"], ["recall"], ["recall", "x"], ["list", "--limit", "0"], ["show"],
  ]) func `creates nothing`(arguments: [String]) throws {
    let before = try contents()
    let result = try episodic.run(arguments)
    #expect(result.status == 2 || result.status == 3, "\(result)")
    #expect(!FileManager.default.fileExists(atPath: episodic.store), "\(result)")
    #expect(try contents() == before)
  }

  @Test func `from a pipe creates nothing either`() throws {
    #expect(try episodic("import", "-", input: line("a") + "nonsense\n").status == 2)
    #expect(!FileManager.default.fileExists(atPath: episodic.store))
  }

  private func contents() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: episodic.path(".")).filter { !$0.hasPrefix("child-") }.sorted()
  }
}
