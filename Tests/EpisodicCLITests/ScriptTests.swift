import Foundation
import TestSupport
import Testing

/// The scripts that show what the command does run to their end with the command as it is.
@Suite struct `Scripts` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  private static let scripts = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../.ci")
    .standardized.path(percentEncoded: false)
  private static let built = Child.products.appending(path: "episodic").path(percentEncoded: false)

  @Test func `the screens show every command at both widths, and no line is too long`() throws {
    let result = try episodic.shell("'\(Self.scripts)/screens' '\(Self.built)' screens")
    #expect(result.status == 0, "\(result)")
    for name in ["list", "recall", "show", "stats"] {
      for columns in [80, 140] {
        let text = try String(contentsOfFile: episodic.path("screens/\(name)-\(columns).txt"), encoding: .utf8)
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.first?.hasPrefix("$ episodic \(name)") == true && lines.count > 3, "\(text)")
        // `show` shows texts as they are.
        if name != "show" { #expect(lines.allSatisfy { $0.count <= columns }, "\(text)") }
      }
    }
  }

  @Test func `the agent's loop of the transcript finds, records and keeps`() throws {
    let result = try episodic.shell("'\(Self.scripts)/transcript' '\(Self.built)'")
    #expect(result.status == 0, "\(result)")
    for text in ["BEGIN RECORDED NOTES", "start the storage server", "100 %", "ok "] {
      #expect(result.output.contains(text), "\(text): \(result)")
    }
  }
}
